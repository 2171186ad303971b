"""The agents' and supervisors' pages: server-made HTML, swapped in parts; every form works as a plain POST."""
