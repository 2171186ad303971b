"""What agents and supervisors do, as functions: the worklist, a case, search, assigning, acting, exporting."""
