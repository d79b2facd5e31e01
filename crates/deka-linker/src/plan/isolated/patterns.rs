//! Which packages are seen by those that do not depend on them.

use deka_manifest::Alias;

/// What the isolated layout shows besides dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoistPatterns {
    hidden: Patterns,
    public: Patterns,
}

impl HoistPatterns {
    /// Reads `hoistPattern`, which names what all packages see (without it everything), and
    /// `publicHoistPattern`, which names what the project sees as well (without it nothing).
    pub fn new<T: AsRef<str>>(hidden: Option<&[T]>, public: Option<&[T]>) -> Self {
        let read =
            |list: &[T]| Patterns(list.iter().map(|text| Pattern::read(text.as_ref())).collect());
        let everything = || Patterns(vec![Pattern::read("*")]);
        Self {
            hidden: hidden.map_or_else(everything, read),
            public: public.map_or_else(Patterns::default, read),
        }
    }

    /// Whether all packages see `alias`.
    pub(super) fn hides(&self, alias: Alias) -> bool {
        self.hidden.accept(alias.as_str())
    }

    /// Whether the project sees `alias`.
    pub(super) fn shows(&self, alias: Alias) -> bool {
        self.public.accept(alias.as_str())
    }
}

/// Patterns of which the last that fits decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Patterns(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    accepts: bool,
    /// What has to be there in this order, anything in between.
    parts: Vec<Box<str>>,
}

impl Patterns {
    fn accept(&self, name: &str) -> bool {
        // Where nothing but exceptions are named, all the rest is meant.
        let only_exceptions = !self.0.is_empty() && self.0.iter().all(|pattern| !pattern.accepts);
        let last = self.0.iter().rev().find(|pattern| pattern.fits(name));
        last.map_or(only_exceptions, |pattern| pattern.accepts)
    }
}

impl Pattern {
    fn read(text: &str) -> Self {
        let (accepts, text) = match text.strip_prefix('!') {
            Some(text) => (false, text),
            None => (true, text),
        };
        Self { accepts, parts: text.split('*').map(Into::into).collect() }
    }

    fn fits(&self, name: &str) -> bool {
        let [first, middle @ .., last] = &*self.parts else {
            return self.parts.first().is_some_and(|whole| **whole == *name);
        };
        let Some(mut rest) = name.strip_prefix(&**first) else { return false };
        for part in middle {
            let Some(at) = rest.find(&**part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(&**last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let accepted = |patterns: &[&str]| {
            let patterns = Patterns(patterns.iter().map(|text| Pattern::read(text)).collect());
            ["eslint", "eslint-plugin-x", "@types/eslint", "react"]
                .into_iter()
                .filter(|name| patterns.accept(name))
                .collect::<Vec<_>>()
        };
        assert_eq!(accepted(&["*"]), ["eslint", "eslint-plugin-x", "@types/eslint", "react"]);
        assert_eq!(accepted(&[]), [""; 0]);
        assert_eq!(accepted(&["eslint"]), ["eslint"]);
        assert_eq!(accepted(&["*eslint*"]), ["eslint", "eslint-plugin-x", "@types/eslint"]);
        assert_eq!(accepted(&["*eslint*", "!@types/*"]), ["eslint", "eslint-plugin-x"]);
        assert_eq!(accepted(&["!*eslint*"]), ["react"]);
        assert_eq!(accepted(&["*", "!*eslint*", "*-x"]), ["eslint-plugin-x", "react"]);
        assert_eq!(accepted(&["e*e*t"]), [""; 0]);
    }
}
