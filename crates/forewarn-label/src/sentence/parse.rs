//! Reading conditions: a grammar by recursive descent.

use super::token::{Kind, Token, Wrong, tokens};
use crate::{Comparison, Condition, LabelError, Limit, Measure, Normal, Number, Span};

/// Brackets and `not`s within each other that a sentence may have.
const DEEPEST: usize = 64;

/// Within how long "while it was not" looks for a sample that was otherwise, unless the sentence says it.
const WHILE_WITHIN: Span = Span::Seconds(3_600);

/// Reads a whole sentence.
pub(super) fn condition(text: &str) -> Result<Condition, LabelError> {
    let mut parser = Parser { text, tokens: tokens(text).map_err(|at| at.error(text))?, next: 0, depth: 0 };
    let condition = parser.any().map_err(|at| at.error(text))?;
    match parser.peek() {
        None => Ok(condition),
        Some(_) => Err(parser.expected("and, or, for SPAN, or the end").error(text)),
    }
}

impl Wrong {
    fn error(self, text: &str) -> LabelError {
        const SHOWN: usize = 200;
        let before = text.get(..self.at).unwrap_or(text);
        let place = if self.at >= text.len() {
            "at the end".to_owned()
        } else {
            format!("at character {}", before.chars().count() + 1)
        };
        LabelError::UnreadableRule {
            text: text.chars().take(SHOWN).collect(),
            reason: format!("{place}: {}", self.reason),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.next)
    }

    /// The error of whatever comes next, which is not what it should be.
    fn expected(&self, what: &str) -> Wrong {
        let (at, found) = match self.peek() {
            Some(token) => (token.at, format!("found {:?}", token.text)),
            None => (self.text.len(), "the sentence ends".to_owned()),
        };
        Wrong { at, reason: format!("{found}, expected {what}") }
    }

    /// Whether the next token is this word or sign; takes it if so.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.is(word);
        self.next += usize::from(is_next);
        is_next
    }

    fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.kind != Kind::Quoted && token.text == word)
    }

    /// These words, one after another, or none of them.
    fn takes_all(&mut self, words: &[&str]) -> bool {
        let from = self.next;
        if words.iter().all(|word| self.takes(word)) {
            return true;
        }
        self.next = from;
        false
    }

    fn needs(&mut self, word: &str, what: &str) -> Result<(), Wrong> {
        if self.takes(word) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Conditions joined by `or`; a comma may stand before it.
    fn any(&mut self) -> Result<Condition, Wrong> {
        self.joined("or", Self::all, Condition::Any)
    }

    fn all(&mut self) -> Result<Condition, Wrong> {
        self.joined("and", Self::lasting, Condition::All)
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Condition, Wrong>,
        join: fn(Vec<Condition>) -> Condition,
    ) -> Result<Condition, Wrong> {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.takes_all(&[",", word]) || self.takes(word) {
            parts.push(part(self)?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => join(parts),
        })
    }

    /// A condition and, where it says so, for how long or how often it holds.
    fn lasting(&mut self) -> Result<Condition, Wrong> {
        let condition = self.single()?;
        if self.takes("for") {
            return Ok(condition.lasting(self.span()?));
        }
        // `in 3 of 5 steps`, `in 3 steps of 5 min`
        if self.takes("in") {
            let (times, _) = self.count("how often, such as in 3 of 5 steps")?;
            let in_steps = self.takes("steps") || self.takes("step");
            self.needs("of", "of, such as in 3 of 5 steps")?;
            let at = self.next;
            let within = self.span()?;
            if !in_steps && !matches!(within, Span::Steps(_)) {
                self.next = at;
                return Err(self.expected("a number of steps; for a time write in 3 steps of 5 min"));
            }
            return Ok(condition.frequent(times, within));
        }
        Ok(condition)
    }

    fn single(&mut self) -> Result<Condition, Wrong> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.expected("no more than 64 brackets within each other"));
        }
        let condition = if self.takes("not") {
            self.single()?.negated()
        } else if self.takes("(") {
            let inner = self.any()?;
            self.needs(")", "and, or, for SPAN, or a closing bracket")?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn comparison(&mut self) -> Result<Condition, Wrong> {
        let measure = self.measure()?;
        if let Measure::Metric(metric) = &measure
            && self.takes("is")
        {
            // A metric without a sample is all that can be unknown of it.
            return if self.takes("absent") || self.takes("missing") || self.takes("unknown") {
                Ok(Condition::absent(metric.as_str()))
            } else {
                Err(self.expected("absent, missing or unknown"))
            };
        }
        let is = self.peek().filter(|token| token.kind == Kind::Sign).and_then(|token| {
            let text = if token.text == "=" { "==" } else { token.text };
            text.parse::<Comparison>().ok()
        });
        let Some(is) = is else { return Err(self.expected(">=, >, <=, <, ==, != or is absent")) };
        self.next += 1;
        let limit = self.limit()?;
        if !self.takes_all(&["while", "it", "was", "not"]) {
            return Ok(measure.compare(is, limit));
        }
        let within = if self.takes("within") { self.span()? } else { WHILE_WITHIN };
        let Limit::Number(number) = limit else {
            return Err(self.expected("a number before while it was not"));
        };
        while_it_was_not(measure, is, number)
            .map_or_else(|| Err(self.expected("<=, < or == before while it was not")), |now| Ok(now(within)))
    }

    fn measure(&mut self) -> Result<Measure, Wrong> {
        if self.takes_all(&["mean", "of"]) {
            let of = self.name()?;
            self.needs("over", "over SPAN")?;
            let over = self.span()?;
            return Ok(if self.takes_all(&["weighted", "by"]) {
                Measure::weighted_mean(of, self.name()?, over)
            } else {
                Measure::mean(of, over)
            });
        }
        if self.takes_all(&["change", "of"]) {
            let of = self.name()?;
            self.needs("over", "over SPAN")?;
            return Ok(Measure::change(of, self.span()?));
        }
        if self.takes_all(&["increase", "of"]) {
            let of = self.name()?;
            self.needs("/", "/ increase of METRIC over SPAN")?;
            if !self.takes_all(&["increase", "of"]) {
                return Err(self.expected("increase of METRIC over SPAN"));
            }
            let to = self.name()?;
            self.needs("over", "over SPAN")?;
            return Ok(Measure::increase_ratio(of, to, self.span()?));
        }
        let name = self.name()?;
        Ok(if self.takes("/") { Measure::ratio(name, self.name()?) } else { Measure::metric(name) })
    }

    fn name(&mut self) -> Result<String, Wrong> {
        match self.peek() {
            Some(token) if token.is_name() => {
                let name = token.name();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.expected("the name of a metric, in double quotes where it has blanks or signs")),
        }
    }

    /// A number with its unit, or the measure's normal.
    fn limit(&mut self) -> Result<Limit, Wrong> {
        if self.is("its") {
            return self.normal(1.0);
        }
        let (number, unit, at) = self.number("a number, or its median of the last SPAN")?;
        if unit.is_empty() && self.takes("times") {
            return self.normal(number as f32);
        }
        let unit = if unit.is_empty() { self.next_unit() } else { unit };
        let factor = match unit.as_str() {
            "" => 1.0,
            "%" => 100.0,
            "ms" => 1.0,
            "s" => 1e-3,
            "min" => 1.0 / 6e4,
            _ => {
                let reason = format!("found the unit {unit:?}, expected %, ms, s, min or none");
                return Err(Wrong { at, reason });
            }
        };
        // In wide numbers, so that 5 % is the number nearest to 0.05.
        Ok(Limit::from((number / factor) as f32))
    }

    /// A unit that stands behind a blank.
    fn next_unit(&mut self) -> String {
        let unit = ["%", "ms", "s", "min"].into_iter().find(|unit| self.is(unit));
        self.next += usize::from(unit.is_some());
        unit.unwrap_or_default().to_owned()
    }

    fn normal(&mut self, times: f32) -> Result<Limit, Wrong> {
        self.needs("its", "its mean or its median")?;
        let is_mean = self.takes("mean");
        if !is_mean && !self.takes("median") {
            return Err(self.expected("mean or median"));
        }
        if !self.takes_all(&["of", "the", "last"]) {
            return Err(self.expected("of the last SPAN"));
        }
        let over = self.span()?;
        let normal = if is_mean { Normal::mean(over) } else { Normal::median(over) };
        let normal = normal.times(times);
        Ok(Limit::from(if self.takes("plus") {
            let (plus, unit, at) = self.number("a number")?;
            if !unit.is_empty() {
                return Err(Wrong {
                    at,
                    reason: format!("found the unit {unit:?}, expected a plain number"),
                });
            }
            normal.plus(plus as f32)
        } else {
            normal
        }))
    }

    /// A number, the unit that is written onto it, and its place.
    fn number(&mut self, what: &str) -> Result<(f64, String, usize), Wrong> {
        let Some(token) = self.peek().filter(|token| token.kind == Kind::Word) else {
            return Err(self.expected(what));
        };
        let digits = token.digits();
        let (number, unit) = token.text.split_at(digits);
        let Ok(value) = number.parse::<f64>() else { return Err(self.expected(what)) };
        let (unit, at) = (unit.to_owned(), token.at);
        if value.abs() > f64::from(f32::MAX) {
            return Err(Wrong {
                at,
                reason: format!("{number} is too large: expected a number below 3.4e38"),
            });
        }
        self.next += 1;
        Ok((value, unit, at))
    }

    /// A whole number above 0, and what is written onto it.
    fn count(&mut self, what: &str) -> Result<(u32, String), Wrong> {
        let Some(token) = self.peek().filter(|token| token.kind == Kind::Word) else {
            return Err(self.expected(what));
        };
        let digits = token.text.find(|c: char| !c.is_ascii_digit()).unwrap_or(token.text.len());
        let (number, rest) = token.text.split_at(digits);
        match number.parse::<u32>() {
            Ok(count) if count > 0 => {
                let rest = rest.to_owned();
                self.next += 1;
                Ok((count, rest))
            }
            _ => Err(self.expected(what)),
        }
    }

    /// `3 steps`, `3 consecutive steps`, `5 min`, `5min`.
    fn span(&mut self) -> Result<Span, Wrong> {
        const WHAT: &str = "a span, such as 3 steps, 90 s, 5 min, 1 h or 2 d";
        let from = self.next;
        let (count, unit) = self.count(WHAT)?;
        let unit = if unit.is_empty() {
            let _ = self.takes("consecutive");
            let Some(token) = self.peek().filter(|token| token.kind == Kind::Word) else {
                return Err(self.expected("a unit: steps, s, min, h or d"));
            };
            token.text.to_owned()
        } else {
            self.next = from;
            unit
        };
        match format!("{count} {unit}").parse() {
            Ok(span) => {
                self.next += 1;
                Ok(span)
            }
            Err(_) => Err(self.expected("a unit: steps, s, min, h or d")),
        }
    }
}

/// A measure at or below a number, though its mean over the time before lies above:
/// `request_count == 0 while it was not`.
fn while_it_was_not(
    measure: Measure,
    is: Comparison,
    number: Number,
) -> Option<impl FnOnce(Span) -> Condition> {
    let limit = number.get();
    let falls =
        matches!(is, Comparison::AtMost | Comparison::Below) || (is == Comparison::Equal && limit == 0.0);
    falls.then_some(move |within: Span| {
        // One known row is enough to say that there was something.
        let before = Normal::mean(within).with_known_share(0.0);
        measure.clone().compare(is, limit).and(measure.below(before))
    })
}
