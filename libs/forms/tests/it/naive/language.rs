//! Expressions read the plain way: cut into tokens, then one function for each line of the grammar in the catalogue's README.

use jiff::civil::Date;

/// What an expression says.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    Truth(bool),
    Number(i64),
    Text(String),
    Day(Date),
    List(Vec<Tree>),
    Name(Vec<String>),
    Call(String, Vec<Tree>),
    Not(Box<Tree>),
    Two(String, Box<Tree>, Box<Tree>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Number(i64),
    Text(String),
    Day(Date),
    Sign(String),
}

/// Reads an expression whose names are called otherwise where it is used.
pub(super) fn read(text: &str, rename: &dyn Fn(&str) -> String) -> Tree {
    let mut tokens = cut(text);
    for n in 0..tokens.len() {
        let inner = n > 0 && tokens[n - 1] == Token::Sign(".".into());
        let called = tokens.get(n + 1) == Some(&Token::Sign("(".into()));
        if let Token::Word(word) = &mut tokens[n]
            && !inner
            && !called
            && !["and", "or", "not", "in", "true", "always", "false", "never"].contains(&word.as_str())
        {
            *word = rename(word);
        }
    }
    let mut reader = Reader { tokens, at: 0, text };
    let tree = reader.either();
    assert_eq!(reader.at, reader.tokens.len(), "more than an expression: {text}");
    tree
}

fn cut(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let begin = at;
        let letter = letters[at];
        if letter.is_whitespace() {
            at += 1;
        } else if letter == '\'' || (letter == 'd' && letters.get(at + 1) == Some(&'\'')) {
            at += if letter == 'd' { 2 } else { 1 };
            let mut quoted = String::new();
            while letters[at] != '\'' || letters.get(at + 1) == Some(&'\'') {
                quoted.push(letters[at]);
                at += if letters[at] == '\'' { 2 } else { 1 };
            }
            at += 1;
            let day = letter == 'd';
            tokens.push(if day { Token::Day(quoted.parse().unwrap()) } else { Token::Text(quoted) });
        } else if letter.is_ascii_digit() {
            while at < letters.len() && letters[at].is_ascii_digit() {
                at += 1;
            }
            tokens.push(Token::Number(letters[begin..at].iter().collect::<String>().parse().unwrap()));
        } else if letter.is_alphabetic() {
            while at < letters.len() && (letters[at].is_alphanumeric() || letters[at] == '_') {
                at += 1;
            }
            tokens.push(Token::Word(letters[begin..at].iter().collect()));
        } else {
            let two: String = letters[at..letters.len().min(at + 2)].iter().collect();
            let sign =
                if ["==", "!=", "<=", ">="].contains(&two.as_str()) { two } else { letter.to_string() };
            at += sign.len();
            tokens.push(Token::Sign(sign));
        }
    }
    tokens
}

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
}

impl Reader<'_> {
    /// Takes the next token where it is one of these words or signs.
    fn takes(&mut self, wanted: &[&str]) -> Option<String> {
        let (Token::Word(said) | Token::Sign(said)) = self.tokens.get(self.at)? else { return None };
        let said = wanted.contains(&said.as_str()).then(|| said.clone())?;
        self.at += 1;
        Some(said)
    }

    fn must(&mut self, sign: &str) {
        assert!(self.takes(&[sign]).is_some(), "no {sign} at {} of {}", self.at, self.text);
    }

    fn two(said: String, left: Tree, right: Tree) -> Tree {
        Tree::Two(said, Box::new(left), Box::new(right))
    }

    fn either(&mut self) -> Tree {
        let mut left = self.both();
        while let Some(said) = self.takes(&["or"]) {
            left = Self::two(said, left, self.both());
        }
        left
    }

    fn both(&mut self) -> Tree {
        let mut left = self.not();
        while let Some(said) = self.takes(&["and"]) {
            left = Self::two(said, left, self.not());
        }
        left
    }

    fn not(&mut self) -> Tree {
        if self.takes(&["not"]).is_some() { Tree::Not(Box::new(self.not())) } else { self.compared() }
    }

    fn compared(&mut self) -> Tree {
        let left = self.sum();
        match self.takes(&["==", "!=", "<", "<=", ">", ">=", "in"]) {
            Some(said) => Self::two(said, left, self.sum()),
            None => left,
        }
    }

    fn sum(&mut self) -> Tree {
        let mut left = self.product();
        while let Some(said) = self.takes(&["+", "-"]) {
            left = Self::two(said, left, self.product());
        }
        left
    }

    fn product(&mut self) -> Tree {
        let mut left = self.atom();
        while let Some(said) = self.takes(&["*"]) {
            left = Self::two(said, left, self.atom());
        }
        left
    }

    /// What stands between here and the closing sign, with commas between.
    fn several(&mut self, close: &str) -> Vec<Tree> {
        let mut parts = Vec::new();
        while self.takes(&[close]).is_none() {
            if !parts.is_empty() {
                self.must(",");
            }
            parts.push(self.either());
        }
        parts
    }

    fn atom(&mut self) -> Tree {
        let token = self.tokens.get(self.at).cloned().unwrap_or_else(|| panic!("ends early: {}", self.text));
        self.at += 1;
        match token {
            Token::Number(number) => Tree::Number(number),
            Token::Text(text) => Tree::Text(text),
            Token::Day(day) => Tree::Day(day),
            Token::Sign(sign) if sign == "[" => Tree::List(self.several("]")),
            Token::Sign(sign) if sign == "(" => {
                let inner = self.either();
                self.must(")");
                inner
            }
            Token::Word(word) if word == "true" || word == "always" => Tree::Truth(true),
            Token::Word(word) if word == "false" || word == "never" => Tree::Truth(false),
            Token::Word(word) if self.takes(&["("]).is_some() => Tree::Call(word, self.several(")")),
            Token::Word(word) => {
                let mut words = vec![word];
                while self.takes(&["."]).is_some() {
                    let Some(Token::Word(part)) = self.tokens.get(self.at) else { panic!("{}", self.text) };
                    words.push(part.clone());
                    self.at += 1;
                }
                Tree::Name(words)
            }
            Token::Sign(sign) => panic!("{sign} stands alone in {}", self.text),
        }
    }
}
