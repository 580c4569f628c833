//! Examples of the forewarn workspace; each file is a program of its own. Start with `quickstart`.
