"""The pages: what a browser asks for and gets. Rules and permissions are the application's, words are here."""
