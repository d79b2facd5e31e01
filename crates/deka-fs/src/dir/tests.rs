//! The same behaviour from both kinds of [`Dir`].
