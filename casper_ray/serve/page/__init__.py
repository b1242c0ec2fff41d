"""The start page as files, for `door.page_route`."""
