"""States that earlier versions of the program and of its SDKs left."""
