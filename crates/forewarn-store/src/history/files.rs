//! Names of the files of a history.

/// Milliseconds of a day.
pub(super) const DAY: i64 = 86_400_000;

/// The day of a time, in days since 1970.
pub(super) fn day_of(millis: i64) -> i64 {
    millis.div_euclid(DAY)
}

/// A file with the rows of a table from one time to before another, all of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Some minutes.
    Part,
    /// All that there is of a day.
    Day,
}

const EXTENSION: &str = ".parquet";
const TEMPORARY: &str = ".parquet.new";

impl Piece {
    /// The day that its rows are of.
    pub(super) fn day(&self) -> i64 {
        day_of(self.from)
    }

    /// `rows.20089.day.1735689600000-1735776000000.parquet`: table, day since 1970, kind, times in milliseconds.
    pub(super) fn name(&self, table: &str) -> String {
        let kind = match self.kind {
            Kind::Part => "part",
            Kind::Day => "day",
        };
        format!("{table}.{}.{kind}.{}_{}{EXTENSION}", self.day(), self.from, self.until)
    }

    /// Table and piece of a name; `None` for a file that is not ours.
    pub(super) fn parse(name: &str) -> Option<(&str, Self)> {
        let mut parts = name.strip_suffix(EXTENSION)?.split('.');
        let (table, day, kind, times) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let kind = match kind {
            "part" => Kind::Part,
            "day" => Kind::Day,
            _ => return None,
        };
        let (from, until) = times.split_once('_')?;
        let piece = Self { from: from.parse().ok()?, until: until.parse().ok()?, kind };
        let is_ours = parts.next().is_none()
            && piece.from < piece.until
            && day.parse() == Ok(piece.day())
            && name == piece.name(table);
        is_ours.then_some((table, piece))
    }
}

/// The name under which a file is written.
pub(super) fn temporary(name: &str) -> String {
    format!("{}{TEMPORARY}", name.strip_suffix(EXTENSION).unwrap_or(name))
}

/// Whether a crash left this file behind.
pub(super) fn is_temporary(name: &str) -> bool {
    name.strip_suffix(".new").is_some_and(|name| Piece::parse(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (from, until, kind) in
            [(0, 1, Kind::Part), (-5, 0, Kind::Day), (1_735_689_600_000, 1_735_776_000_000, Kind::Day)]
        {
            let piece = Piece { from, until, kind };
            let name = piece.name("rows");
            assert_eq!(Piece::parse(&name), Some(("rows", piece)), "{name}");
            assert!(is_temporary(&temporary(&name)) && !is_temporary(&name));
        }
        for name in [
            "rows.0.part.0_0.parquet",
            "rows.1.part.0_5.parquet",
            "rows.0.week.0_5.parquet",
            "x.parquet",
            "rows.0.part.00_5.parquet",
        ] {
            assert_eq!(Piece::parse(name), None, "{name}");
        }
    }
}
