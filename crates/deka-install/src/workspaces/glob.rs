//! Globs over paths with `/` between the names, as `workspaces` and `--filter` have them.
//!
//! ```text
//! *      any text within a name, but no name that begins with a dot     ?      one character
//! **     any number of names                                            [a-z]  one of these, [!a] none
//! {a,b}  one of these texts, also across names
//! ```

/// More alternatives than anybody writes by hand.
const ALTERNATIVES_LIMIT: usize = 1024;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    /// The pattern once for each way to choose in its braces.
    alternatives: Vec<Vec<Segment>>,
}

/// What one or more names of a path have to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// `**`
    AnyNumber,
    /// Exactly this name.
    Literal(String),
    /// A name that fits.
    Name(Vec<Token>),
}

/// What one or more characters of a name have to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Literal(char),
    /// `?`
    One,
    /// `*`
    AnyNumber,
    /// `[…]`
    Set {
        is_negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    /// Reads a pattern; `./` in front and `/` at the end mean nothing.
    pub(crate) fn parse(pattern: &str) -> Self {
        let mut texts = Vec::new();
        expand_braces(pattern, &mut texts);
        let alternatives = texts.iter().map(|text| {
            let names = text.split('/').filter(|name| !matches!(*name, "" | "."));
            names.map(Segment::parse).collect()
        });
        Self { alternatives: alternatives.collect() }
    }

    /// Whether a path fits; it has to be normal.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        self.alternatives.iter().any(|segments| matches(segments, &names))
    }

    /// Returns the only path that fits, if the pattern has no wildcards.
    pub(crate) fn literal(&self) -> Option<String> {
        let [segments] = self.alternatives.as_slice() else { return None };
        let names = segments.iter().map(|segment| match segment {
            Segment::Literal(name) => Some(name.as_str()),
            Segment::AnyNumber | Segment::Name(_) => None,
        });
        names.collect::<Option<Vec<_>>>().map(|names| names.join("/"))
    }

    /// Returns the pattern as lists of what the names of a path have to be, one of which has to fit.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = &[Segment]> {
        self.alternatives.iter().map(Vec::as_slice)
    }
}

impl Segment {
    fn parse(name: &str) -> Self {
        if name == "**" {
            return Self::AnyNumber;
        }
        let tokens = tokens(name);
        let literal = tokens.iter().map(|token| match token {
            Token::Literal(c) => Some(*c),
            _ => None,
        });
        literal.collect::<Option<String>>().map_or(Self::Name(tokens), Self::Literal)
    }

    /// Whether a single name fits.
    pub(super) fn fits(&self, name: &str) -> bool {
        match self {
            Self::AnyNumber => !name.starts_with('.'),
            Self::Literal(literal) => literal == name,
            Self::Name(tokens) => {
                let asks_for_dot = matches!(tokens.first(), Some(Token::Literal('.')));
                (asks_for_dot || !name.starts_with('.')) && fits(tokens, name)
            }
        }
    }
}

/// Compares names with segments, one segment after the other for all names at once: trying the ways that
/// several `**` can share many names out would take forever.
fn matches(segments: &[Segment], names: &[&str]) -> bool {
    // Whether the segments so far fit so many of the names.
    let mut fitting = vec![false; names.len() + 1];
    fitting[0] = true;
    for segment in segments {
        if *segment == Segment::AnyNumber {
            for (at, name) in names.iter().enumerate() {
                fitting[at + 1] |= fitting[at] && segment.fits(name);
            }
        } else {
            for (at, name) in names.iter().enumerate().rev() {
                fitting[at + 1] = fitting[at] && segment.fits(name);
            }
            fitting[0] = false;
        }
    }
    fitting.last() == Some(&true)
}

/// Compares a name with tokens; a `*` that took too little is tried again with one more character.
fn fits(tokens: &[Token], name: &str) -> bool {
    let characters: Vec<char> = name.chars().collect();
    let (mut at, mut token) = (0, 0);
    let mut retry = None;
    while at < characters.len() {
        let is_fit = match tokens.get(token) {
            Some(Token::AnyNumber) => {
                retry = Some((token, at));
                token += 1;
                continue;
            }
            Some(Token::Literal(c)) => *c == characters[at],
            Some(Token::One) => true,
            Some(Token::Set { is_negated, ranges }) => {
                let c = characters[at];
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *is_negated
            }
            None => false,
        };
        if is_fit {
            at += 1;
            token += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            at = from + 1;
            token = star + 1;
        } else {
            return false;
        }
    }
    tokens[token..].iter().all(|token| *token == Token::AnyNumber)
}

fn tokens(name: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        tokens.push(match c {
            '*' if tokens.last() == Some(&Token::AnyNumber) => continue,
            '*' => Token::AnyNumber,
            '?' => Token::One,
            '\\' => Token::Literal(rest.next().unwrap_or('\\')),
            '[' => match set(rest.as_str()) {
                Some((set, behind)) => {
                    rest = behind.chars();
                    set
                }
                None => Token::Literal('['),
            },
            c => Token::Literal(c),
        });
    }
    tokens
}

/// Reads what stands behind a `[`; returns what is behind the `]`.
fn set(text: &str) -> Option<(Token, &str)> {
    let (inner, behind) = text.split_at(text.char_indices().skip(1).find(|(_, c)| *c == ']')?.0);
    let is_negated = inner.starts_with(['!', '^']);
    let mut characters = inner.chars().skip(usize::from(is_negated)).peekable();
    let mut ranges = Vec::new();
    while let Some(first) = characters.next() {
        let mut last = first;
        if characters.peek() == Some(&'-') {
            characters.next();
            match characters.next() {
                Some(end) => last = end,
                None => ranges.push(('-', '-')),
            }
        }
        ranges.push((first, last));
    }
    Some((Token::Set { is_negated, ranges }, &behind[1..]))
}

/// Writes the first braces out, each time with the next of their texts, and so on.
fn expand_braces(pattern: &str, out: &mut Vec<String>) {
    if out.len() >= ALTERNATIVES_LIMIT {
        return;
    }
    let Some((start, commas, end)) = find_braces(pattern) else {
        out.push(pattern.to_owned());
        return;
    };
    let (before, behind) = (&pattern[..start], &pattern[end + 1..]);
    let mut from = start + 1;
    for to in commas.into_iter().chain([end]) {
        expand_braces(&format!("{before}{}{behind}", &pattern[from..to]), out);
        from = to + 1;
    }
}

/// Returns where the first braces begin, their commas, and where they end.
fn find_braces(pattern: &str) -> Option<(usize, Vec<usize>, usize)> {
    let start = pattern.find('{')?;
    let (mut depth, mut commas) = (0, Vec::new());
    for (at, c) in pattern[start..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some((start, commas, start + at)),
            '}' => depth -= 1,
            ',' if depth == 1 => commas.push(start + at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, fitting: &[&str], others: &[&str]) {
        let glob = Glob::parse(pattern);
        for path in fitting {
            assert!(glob.matches(path), "{pattern} should match {path}");
        }
        for path in others {
            assert!(!glob.matches(path), "{pattern} should not match {path}");
        }
    }

    #[test]
    fn names() {
        check("packages/*", &["packages/a"], &["packages", "packages/.a", "packages/a/b"]);
        check("p*s/a?c", &["packages/abc", "ps/axc"], &["packages/ac", "package/abc"]);
        check("p[a-c]/[!x]*", &["pa/y", "pc/yy"], &["pd/y", "pa/x", "p/y"]);
        check("./a/", &["a"], &["a/b", "b"]);
        check("*ab*ab", &["ab-ab", "aabab", "xabab"], &["ab", "abx"]);
        check("a\\*", &["a*"], &["ab"]);
        check("[", &["["], &["a"]);
    }

    #[test]
    fn any_number_of_names() {
        check("apps/**", &["apps", "apps/a", "apps/a/b"], &["app", "apps/.git/a", "b/apps"]);
        check("**/test/**", &["test", "a/test", "a/b/test/c"], &["a", "a/tests"]);
        check("a/**/b", &["a/b", "a/x/y/b"], &["a", "b"]);
        check("**", &["", "a", "a/b"], &[".git"]);
    }

    #[test]
    fn braces() {
        check("libs/{a,b}", &["libs/a", "libs/b"], &["libs/c", "libs/{a,b}"]);
        check("{a,b/{c,d}}/*", &["a/x", "b/c/x", "b/d/x"], &["b/x", "c/x"]);
        check("a{,-b}", &["a", "a-b"], &["b"]);
        check("{a", &["{a"], &["a"]);
    }

    #[test]
    fn literals() {
        assert_eq!(Glob::parse("./packages/a/").literal().as_deref(), Some("packages/a"));
        assert_eq!(Glob::parse("packages/*").literal(), None);
        assert_eq!(Glob::parse("{a,b}").literal(), None);
    }

    #[test]
    fn many_wildcards_end() {
        let path = "a/".repeat(60);
        assert!(!Glob::parse(&format!("{}b", "**/a/".repeat(30))).matches(&path));
        assert!(Glob::parse(&format!("{}a", "**/".repeat(60))).matches(&path));
    }

    #[test]
    fn many_alternatives_end() {
        let pattern = "{a,b}".repeat(40);
        assert!(Glob::parse(&pattern).alternatives().count() <= ALTERNATIVES_LIMIT);
    }
}
