"""Who is perhaps the same person over all malls, and what agents have said of them."""
