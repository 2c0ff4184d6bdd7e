//! Rust sources as words, texts and marks: enough to find calls and what is given to them.

/// A piece of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name, a keyword or a number.
    Word(String),
    /// What stands in quotes, unescaped.
    Text(String),
    /// Any other character that is no blank.
    Mark(char),
}

impl Token {
    /// Whether it is this word.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }

    /// The text, when it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// 1 for a mark that opens, -1 for one that closes, 0 for all else.
    pub(crate) fn nesting(&self) -> i32 {
        match self {
            Self::Mark('(' | '[' | '{') => 1,
            Self::Mark(')' | ']' | '}') => -1,
            Self::Mark(_) | Self::Word(_) | Self::Text(_) => 0,
        }
    }

    /// The word, when it is one.
    pub(crate) fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }
}

/// The tokens of a source, without comments and without the module of tests at its end.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut rest = source;
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, next)| next);
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, next)| next);
        } else if rest.starts_with("#[cfg(test)]") && ends_in_tests(rest) {
            break;
        } else if let Some(fence) = raw_fence(rest) {
            let inside = &rest[fence + 2..];
            let end = format!("\"{}", "#".repeat(fence));
            let (text, next) = inside.split_once(&end).expect("a raw text ends");
            found.push(Token::Text(text.to_owned()));
            rest = next;
        } else if first == '"' {
            let (text, next) = quoted(&rest[1..]);
            found.push(Token::Text(text));
            rest = next;
        } else if let Some(length) = quoted_char(rest) {
            rest = &rest[length..];
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                found.push(Token::Mark(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// Whether a module of tests with its content begins here; a mere `mod tests;` is none.
fn ends_in_tests(rest: &str) -> bool {
    let item = rest.lines().find(|line| !line.trim_start().starts_with('#')).unwrap_or_default();
    item.contains("mod ") && item.ends_with('{')
}

/// How many `#` fence a raw text that begins here.
fn raw_fence(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('r')?;
    let fence = inside.find(|c: char| c != '#')?;
    inside[fence..].starts_with('"').then_some(fence)
}

/// A text up to its quote, unescaped, and what comes after it.
fn quoted(inside: &str) -> (String, &str) {
    let mut text = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (text, &inside[at + 1..]),
            '\\' => match letters.next().map(|(_, escaped)| escaped) {
                // A line that goes on in the next.
                Some('\n') => {
                    while letters.clone().next().is_some_and(|(_, c)| c.is_whitespace()) {
                        letters.next();
                    }
                }
                Some('n' | 't' | 'r') => text.push(' '),
                Some(escaped) => text.push(escaped),
                None => break,
            },
            other => text.push(other),
        }
    }
    (text, "")
}

/// The length of a character in quotes that begins here; none for a lifetime.
fn quoted_char(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        return inside[2..].find('\'').map(|end| end + 4);
    }
    inside[first.len_utf8()..].starts_with('\'').then_some(first.len_utf8() + 2)
}

#[test]
fn a_source_is_words_texts_and_marks() {
    let source = r#"
        // "not this"
        fn a<'l>() { b('"', "say \"no\" \
            twice", r"raw\text") } /* "nor this" */
        #[cfg(test)]
        mod tests {
            "nor that"
        }
    "#;
    let texts: Vec<String> =
        tokens(source).iter().filter_map(|token| token.text().map(str::to_owned)).collect();
    assert_eq!(texts, [r#"say "no" twice"#, r"raw\text"]);
    assert_eq!(tokens("r#\"raw \"text\"\"#;"), [Token::Text("raw \"text\"".to_owned()), Token::Mark(';')]);
}
