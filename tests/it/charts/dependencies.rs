//! Charts that need other charts, from repositories that ask who is there.
