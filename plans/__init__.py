"""What a change does, for those who review it: the comment of a pull request, a page, a diff."""
