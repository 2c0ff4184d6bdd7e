//! The checklist on the terminal: what is needed and why, a file for each, or words why it cannot be provided.
use super::ask::{Ask, Said, say};
use super::reading::spoken;
use super::words::Words;
use crate::client::{passing, plainly};
use crate::commands::Refused;
use crate::commands::attach::attach;
use crate::commands::paper::{Drafts, found};
use crate::upload::Outgoing;
use anyhow::Result;
use docket_proto::filing::v1 as pb;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tonic::{Code, Status};

/// How the checklist is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// That is all.
    Done,
    /// Back to the questions.
    Back,
    /// No more for now.
    Stop,
}

/// A person at the checklist of a draft.
pub struct Checklist<'a> {
    pub drafts: &'a Drafts,
    pub words: &'static Words,
}

impl Checklist<'_> {
    /// Asks for what is needed now and not there, then for whatever the person names.
    pub async fn run(&self, filing: &str, ask: &mut Ask) -> Result<(pb::Filing, End)> {
        let mut filing = self.drafts.get(filing).await?;
        say(&format!("\n  — {} —", self.words.papers.heading));
        if filing.evidence_needs.is_empty() {
            say(self.words.papers.none_needed);
            return Ok((filing, End::Done));
        }
        say(self.words.papers.how_to_attach);
        self.list(&filing);
        // Looked up once: the service opens every filing of the person for it.
        let elsewhere = self.drafts.reusable(&filing.name).await?;
        let mut asked = BTreeSet::new();
        loop {
            let lacking = |need: &&pb::EvidenceNeed| is_lacking(need) && !asked.contains(&need.kind);
            let need = match filing.evidence_needs.iter().find(lacking) {
                Some(need) => need.clone(),
                None => match self.named(&filing, ask)? {
                    Ok(need) => need,
                    Err(end) => return Ok((filing, end)),
                },
            };
            if let Some(end) = self.ask_for(&mut filing, &need, &elsewhere, ask).await? {
                return Ok((filing, end));
            }
            asked.insert(need.kind);
        }
    }

    /// What is on the checklist, with numbers.
    fn list(&self, filing: &pb::Filing) {
        let words = &self.words.papers;
        for (n, need) in filing.evidence_needs.iter().enumerate() {
            let (mark, state) = if need.satisfied {
                ("✓", words.attached.replace("{}", &files_for(filing, need)))
            } else if need.explained {
                ("-", words.explained.to_owned())
            } else if is_lacking(need) {
                ("+", words.needed_now.to_owned())
            } else {
                ("·", words.needed_later.to_owned())
            };
            say(&format!("{:>3}. {mark} {} ({state})", n + 1, need.title));
        }
    }

    /// The paper that the person names by its number, or how the checklist is left.
    fn named(&self, filing: &pb::Filing, ask: &mut Ask) -> Result<Result<pb::EvidenceNeed, End>> {
        let needs = &filing.evidence_needs;
        eprintln!();
        self.list(filing);
        say(self.words.papers.any_more);
        loop {
            let Some(line) = ask.line("")? else { return Ok(Err(End::Stop)) };
            match line.as_str() {
                "" => return Ok(Err(End::Done)),
                "<" => return Ok(Err(End::Back)),
                "!" => return Ok(Err(End::Stop)),
                line => {
                    let number = line.parse::<usize>().ok();
                    match number.and_then(|number| needs.get(number.checked_sub(1)?)) {
                        Some(need) => return Ok(Ok(need.clone())),
                        None => say(&self.words.choose_one.replace("{}", &needs.len().to_string())),
                    }
                }
            }
        }
    }

    /// Asks for one paper until it is attached, explained or left for later; tells how the checklist is left, if it is.
    async fn ask_for(
        &self,
        filing: &mut pb::Filing,
        need: &pb::EvidenceNeed,
        elsewhere: &[pb::ReusableEvidence],
        ask: &mut Ask,
    ) -> Result<Option<End>> {
        eprintln!();
        say(&need.title);
        self.tell_why(filing, need);
        let elsewhere = self.elsewhere(need, elsewhere);
        loop {
            let Some(line) = ask.line(self.words.papers.file_or_why_not)? else { return Ok(Some(End::Stop)) };
            let over = match Line::read(&line) {
                Line::Stop => return Ok(Some(End::Stop)),
                Line::Back => return Ok(Some(End::Back)),
                Line::Later => return Ok(None),
                Line::More => {
                    self.tell_more();
                    false
                }
                Line::Again => match elsewhere {
                    Some(file) => self.attach_again(filing, file).await?,
                    None => false,
                },
                Line::WhyNot(why) => self.explain(filing, need, why, ask).await?,
                Line::Files(line) => self.attach(filing, need, line, ask).await?,
            };
            if over {
                return Ok(None);
            }
        }
    }

    fn tell_why(&self, filing: &pb::Filing, need: &pb::EvidenceNeed) {
        let words = &self.words.papers;
        say(&why(need));
        if !need.substitutes.is_empty() {
            say(&words.stand_ins.replace("{}", &stand_ins(need).join("; ")));
        }
        let files = files_for(filing, need);
        if !files.is_empty() {
            say(&words.attached.replace("{}", &files));
        }
        if let Some(missing) = filing.explanations.iter().find(|missing| missing.kind == need.kind) {
            say(&format!("{}: {}", words.explained, missing.explanation));
        }
    }

    /// The file that was attached for it to another filing last; said, when there is one.
    fn elsewhere<'a>(
        &self,
        need: &pb::EvidenceNeed,
        reusable: &'a [pb::ReusableEvidence],
    ) -> Option<&'a pb::Evidence> {
        let fits = |file: &&pb::Evidence| file.kind == need.kind || need.substitutes.contains(&file.kind);
        let found = |one: &'a pb::ReusableEvidence| Some((one.evidence.as_ref().filter(fits)?, &one.form));
        let (file, form) = reusable.iter().find_map(found)?;
        let offer = self.words.papers.attached_elsewhere;
        say(&offer.replace("{}", &format!("{} ({form})", file.file_name)));
        Some(file)
    }

    /// Attaches a file of another filing; true once it is attached.
    async fn attach_again(&self, filing: &mut pb::Filing, file: &pb::Evidence) -> Result<bool> {
        match self.drafts.reuse(&filing.name, file).await {
            Ok(evidence) => {
                say(&format!("✓ {}", self.words.papers.attached.replace("{}", &evidence.file_name)));
                *filing = self.drafts.get(&filing.name).await?;
                Ok(true)
            }
            Err(status) => verdict(&file.file_name, status).map(|()| false),
        }
    }

    fn tell_more(&self) {
        let words = &self.words.papers;
        say(words.files_taken);
        say(words.cannot_be_had);
        say(words.translation);
    }

    /// Says why it cannot be provided; true once that is noted.
    async fn explain(
        &self,
        filing: &mut pb::Filing,
        need: &pb::EvidenceNeed,
        why: &str,
        ask: &mut Ask,
    ) -> Result<bool> {
        let asked = if why.is_empty() { ask.line(self.words.papers.why_not)? } else { Some(why.to_owned()) };
        let Some(why) = asked.filter(|why| !why.is_empty()) else { return Ok(false) };
        match self.drafts.explain(&filing.name, &need.kind, &why).await {
            Ok(()) => {
                say(self.words.papers.noted);
                *filing = self.drafts.get(&filing.name).await?;
                Ok(true)
            }
            Err(status) => verdict(&need.title, status).map(|()| false),
        }
    }

    /// Attaches the files of a line; true once all of them are.
    async fn attach(
        &self,
        filing: &mut pb::Filing,
        need: &pb::EvidenceNeed,
        line: &str,
        ask: &mut Ask,
    ) -> Result<bool> {
        let paths = match paths(line, std::env::home_dir().as_deref(), Path::is_file) {
            Ok(paths) => paths,
            Err(path) => {
                say(&self.words.papers.no_such_file.replace("{}", &path.display().to_string()));
                return Ok(false);
            }
        };
        let kind = self.kind_of(need, ask)?;
        // Where the file is taken back nothing was sent: the paper is asked for again, and there the same sign is heard.
        let Some(foreign_language) = is_foreign(ask, self.words)? else { return Ok(false) };
        let mut all = true;
        for path in paths {
            all &=
                attach_one(self.drafts, self.words, (&filing.name, &kind), &path, foreign_language).await?;
        }
        *filing = self.drafts.get(&filing.name).await?;
        let of_files = |finding: &&pb::Finding| finding.rule.starts_with("file-") && finding.field == kind;
        filing.findings.iter().filter(of_files).for_each(|finding| say(&found(finding)));
        Ok(all)
    }

    /// The kind of what is attached: the paper itself, or what stands in for it.
    fn kind_of(&self, need: &pb::EvidenceNeed, ask: &mut Ask) -> Result<String> {
        if need.substitutes.is_empty() {
            return Ok(need.kind.clone());
        }
        let kinds: Vec<String> = std::iter::once(&need.kind).chain(&need.substitutes).cloned().collect();
        let labels: Vec<String> = std::iter::once(need.title.clone()).chain(stand_ins(need)).collect();
        let chosen = ask.choice(self.words.papers.which_is_it, &kinds, &labels)?;
        Ok(chosen.unwrap_or_else(|| need.kind.clone()))
    }
}

fn is_lacking(need: &pb::EvidenceNeed) -> bool {
    need.level == "initial" && !need.satisfied && !need.explained
}

/// Why a paper is needed, with the source that asks for it where one is known.
fn why(need: &pb::EvidenceNeed) -> String {
    if need.cite.is_empty() { need.because.clone() } else { format!("{} ({})", need.because, need.cite) }
}

/// What may stand in for a paper, as people read it.
fn stand_ins(need: &pb::EvidenceNeed) -> Vec<String> {
    let titles = need.substitute_titles.iter().cloned().map(Some).chain(std::iter::repeat(None));
    let named = need.substitutes.iter().zip(titles);
    named.map(|(kind, title)| title.unwrap_or_else(|| spoken(kind))).collect()
}

/// The names of the files that are attached for a paper.
fn files_for(filing: &pb::Filing, need: &pb::EvidenceNeed) -> String {
    let fits = |file: &&pb::Evidence| file.kind == need.kind || need.substitutes.contains(&file.kind);
    let names = filing.evidence.iter().filter(fits).map(|file| file.file_name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// Whether a file is in another language; nothing where the person takes it back.
pub fn is_foreign(ask: &mut Ask, words: &Words) -> Result<Option<bool>> {
    let papers = &words.papers;
    Ok(match ask.yes_or_no(papers.other_language, papers.translation)? {
        Said::Answer(answer) if answer == true => {
            say(papers.translation);
            Some(true)
        }
        Said::Answer(_) | Said::Nothing => Some(false),
        Said::Back | Said::Papers | Said::Stop => None,
    })
}

/// Attaches a file of a kind to a filing or a response; true once it is attached, else it is told why not.
pub async fn attach_one(
    drafts: &Drafts,
    words: &Words,
    (parent, kind): (&str, &str),
    path: &Path,
    foreign_language: bool,
) -> Result<bool> {
    let file = match Outgoing::look(path, kind, foreign_language) {
        Ok(file) => file,
        Err(error) => {
            say(&format!("✗ {error:#}"));
            return Ok(false);
        }
    };
    match attach(drafts, words, parent, &file).await {
        Ok(evidence) => {
            say(&format!("✓ {}", words.papers.attached.replace("{}", &evidence.file_name)));
            Ok(true)
        }
        Err(status) => verdict(file.file_name(), status).map(|()| false),
    }
}

/// Tells a refusal that the person can do something about; any other ends the interview.
pub fn verdict(what: &str, status: Status) -> Result<()> {
    let of_the_file =
        [Code::InvalidArgument, Code::FailedPrecondition, Code::ResourceExhausted, Code::AlreadyExists];
    if of_the_file.contains(&status.code()) || passing(&status) {
        say(&format!("✗ {what}: {}", plainly(&status)));
        return Ok(());
    }
    Err(Refused::from(status).into())
}

/// What a line says of a paper.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Stop,
    Back,
    Later,
    More,
    /// The file that was attached elsewhere.
    Again,
    /// Why it cannot be provided; nothing where the words are still to be said.
    WhyNot(&'a str),
    Files(&'a str),
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        match line {
            "!" => Self::Stop,
            "<" => Self::Back,
            "" => Self::Later,
            "?" => Self::More,
            "=" => Self::Again,
            // A file whose name begins so is ./-name.
            line => line.strip_prefix('-').map_or(Self::Files(line), |why| Self::WhyNot(why.trim())),
        }
    }
}

/// The files that a line names: one as it stands, blanks and all; several with commas, or with blanks as a terminal writes them
/// when files are dropped on it. `~` is the person's own folder. The first that is not there, where one is not.
pub fn paths(
    line: &str,
    home: Option<&Path>,
    is_there: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, PathBuf> {
    let at_home = |name: &String| match (name.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(name),
    };
    let by_commas = words(line, |c| c == ',');
    let readings = [vec![line.to_owned()], by_commas, words(line, |c| c == ',' || c.is_whitespace())];
    let mut readings = readings.map(|names| names.iter().map(at_home).collect::<Vec<PathBuf>>());
    let good = |paths: &Vec<PathBuf>| !paths.is_empty() && paths.iter().all(|path| is_there(path));
    if let Some(good) = readings.iter().position(good) {
        return Ok(std::mem::take(&mut readings[good]));
    }
    let missing = readings[1].iter().find(|path| !is_there(path)).cloned();
    Err(missing.unwrap_or_else(|| PathBuf::from(line)))
}

/// The words between separators; quotes and backslashes take a separator's meaning away, as in a shell.
fn words(line: &str, separates: impl Fn(char) -> bool) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        match (sign, quote) {
            ('\\', None) => word.extend(signs.next()),
            ('"' | '\'', None) => quote = Some(sign),
            (sign, Some(open)) if sign == open => quote = None,
            (sign, None) if separates(sign) => words.push(std::mem::take(&mut word)),
            (sign, None | Some(_)) => word.push(sign),
        }
    }
    words.push(word);
    words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_sign_words_why_not_or_files() {
        assert_eq!(Line::read("!"), Line::Stop);
        assert_eq!(Line::read("<"), Line::Back);
        assert_eq!(Line::read(""), Line::Later);
        assert_eq!(Line::read("?"), Line::More);
        assert_eq!(Line::read("="), Line::Again);
        assert_eq!(Line::read("-"), Line::WhyNot(""));
        assert_eq!(Line::read("- It burned."), Line::WhyNot("It burned."));
        assert_eq!(Line::read("./-card.pdf"), Line::Files("./-card.pdf"));
    }

    #[test]
    fn files_are_read_as_people_type_and_drop_them() {
        let there = ["/home/ana/my card.pdf", "a.pdf", "b c.pdf", "d, e.pdf", "it's.pdf"];
        let read = |line: &str| {
            let found = paths(line, Some(Path::new("/home/ana")), |path| {
                there.iter().any(|one| path == Path::new(one))
            });
            let text = |path: &PathBuf| path.display().to_string();
            found.map(|paths| paths.iter().map(text).collect::<Vec<_>>()).map_err(|path| text(&path))
        };
        let found = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(read("~/my card.pdf"), found(&["/home/ana/my card.pdf"]));
        assert_eq!(read(r"/home/ana/my\ card.pdf"), found(&["/home/ana/my card.pdf"]));
        assert_eq!(read("a.pdf, b c.pdf"), found(&["a.pdf", "b c.pdf"]));
        assert_eq!(read("'b c.pdf' a.pdf"), found(&["b c.pdf", "a.pdf"]));
        assert_eq!(read("d, e.pdf"), found(&["d, e.pdf"]), "its name has a comma");
        assert_eq!(read("\"d, e.pdf\", a.pdf"), found(&["d, e.pdf", "a.pdf"]));
        assert_eq!(read("it's.pdf"), found(&["it's.pdf"]));
        assert_eq!(read("a.pdf, z.pdf"), Err("z.pdf".into()), "what is missing is named");
        assert_eq!(read(","), Err(",".into()));
    }

    #[test]
    fn only_what_is_needed_at_filing_is_asked_for() {
        let need = pb::EvidenceNeed { level: "initial".into(), ..pb::EvidenceNeed::default() };
        assert!(is_lacking(&need));
        assert!(!is_lacking(&pb::EvidenceNeed { satisfied: true, ..need.clone() }));
        assert!(!is_lacking(&pb::EvidenceNeed { explained: true, ..need.clone() }));
        assert!(!is_lacking(&pb::EvidenceNeed { level: "later".into(), ..need }));
    }

    #[test]
    fn what_stands_in_counts_for_a_paper() {
        let file = |kind: &str, file_name: &str| {
            let (kind, file_name) = (kind.into(), file_name.into());
            pb::Evidence { kind, file_name, ..pb::Evidence::default() }
        };
        let evidence = vec![file("passport", "p.pdf"), file("lease", "l.pdf"), file("id", "i.pdf")];
        let filing = pb::Filing { evidence, ..pb::Filing::default() };
        let need = pb::EvidenceNeed {
            kind: "id".into(),
            substitutes: vec!["passport".into()],
            ..pb::EvidenceNeed::default()
        };
        assert_eq!(files_for(&filing, &need), "p.pdf, i.pdf");
    }

    #[test]
    fn a_paper_says_its_source_and_what_may_stand_in_for_it_by_name() {
        let need = pb::EvidenceNeed {
            because: "Needed from everyone.".into(),
            substitutes: vec!["passport".into(), "military_id".into()],
            ..pb::EvidenceNeed::default()
        };
        assert_eq!(why(&need), "Needed from everyone.");
        assert_eq!(stand_ins(&need), ["passport", "military id"], "as a service before this one says it");
        let said = pb::EvidenceNeed {
            cite: "INA 213A".into(),
            substitute_titles: vec!["Pasaporte".into(), "Identificación militar".into()],
            ..need
        };
        assert_eq!(why(&said), "Needed from everyone. (INA 213A)");
        assert_eq!(stand_ins(&said), ["Pasaporte", "Identificación militar"]);
    }

    #[test]
    fn a_refused_file_is_told_and_a_lost_session_ends() {
        for code in [Code::InvalidArgument, Code::FailedPrecondition, Code::Unavailable] {
            assert!(verdict("card.pdf", Status::new(code, "refused")).is_ok(), "{code:?}");
        }
        for code in [Code::Unauthenticated, Code::NotFound, Code::PermissionDenied] {
            assert!(verdict("card.pdf", Status::new(code, "no")).is_err(), "{code:?}");
        }
    }
}
