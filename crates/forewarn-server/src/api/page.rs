//! Long lists, a page at a time.

use crate::{http::Problem, text::hex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Entries of a page unless said otherwise.
const USUAL: u32 = 100;
/// Most entries of a page.
pub(crate) const MOST: u32 = 1_000;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The entries.
    pub(crate) items: Vec<T>,
    /// Entries of all pages together.
    pub(crate) total: usize,
    /// What to send as `cursor` for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// The place after which a page begins: the key of the entry before it. A list that changes between two pages neither
/// repeats nor skips what was there all the time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Cursor(String);

impl Cursor {
    fn of(key: &str) -> String {
        hex(key.as_bytes())
    }
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const WRONG: &str = "cursor: expected the next_cursor of the page before";
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
            _ => None,
        };
        let bytes = text.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>().ok_or(WRONG)?;
        String::from_utf8(bytes).map(Self).map_err(|_| WRONG)
    }
}

/// How many entries to give.
///
/// # Errors
/// A problem for 0, and for more than `most`.
pub(crate) fn limit(asked: Option<u32>, usual: Option<u32>, most: u32) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(usual.unwrap_or(USUAL));
    if !(1..=most).contains(&limit) {
        return Err(Problem::invalid(format!("limit is {limit}: expected 1 to {most}")));
    }
    Ok(limit as usize)
}

/// The page after `cursor` of entries whose keys are in order.
pub(crate) fn page_by_name<T>(
    entries: Vec<T>,
    key: impl Fn(&T) -> &str,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Page<T> {
    let total = entries.len();
    let is_after = |entry: &T| cursor.is_none_or(|cursor| key(entry) > cursor.0.as_str());
    let mut rest = entries.into_iter().filter(is_after);
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let next_cursor = rest.next().and(items.last()).map(|last| Cursor::of(key(last)));
    Page { items, total, next_cursor }
}

/// The page after `cursor` of entries with numbers, the newest first.
///
/// # Errors
/// A problem for a cursor of another list.
pub(crate) fn page_by_number<T, R>(
    newest_first: impl Iterator<Item = T>,
    number: impl Fn(&T) -> u64,
    (cursor, limit): (Option<&Cursor>, usize),
    show: impl Fn(&T) -> R,
) -> Result<Page<R>, Problem> {
    let before = cursor.map(|cursor| cursor.0.parse::<u64>()).transpose();
    let before = before.map_err(|_| Problem::invalid("cursor: it is one of another list"))?;
    let (mut items, mut total, mut last, mut has_more) = (Vec::new(), 0, None, false);
    for entry in newest_first {
        total += 1;
        if before.is_some_and(|before| number(&entry) >= before) {
            continue;
        }
        if items.len() < limit {
            last = Some(number(&entry));
            items.push(show(&entry));
        } else {
            has_more = true;
        }
    }
    let next_cursor = last.filter(|_| has_more).map(|last| Cursor::of(&last.to_string()));
    Ok(Page { items, total, next_cursor })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(page: &Page<u64>) -> Option<Cursor> {
        page.next_cursor.clone().map(|text| Cursor::try_from(text).unwrap())
    }

    #[test]
    fn pages_have_every_entry_once() {
        let page = |cursor: Option<&Cursor>, newest| {
            page_by_number((0..newest).rev(), |n| *n, (cursor, 4), |n| *n).unwrap()
        };
        let (mut seen, mut cursor) = (Vec::new(), None);
        // New entries come while the list is read.
        for newest in 10.. {
            let page = page(cursor.as_ref(), newest);
            assert_eq!(page.total, newest as usize);
            cursor = next(&page);
            seen.extend(page.items);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..10).rev().collect::<Vec<_>>());
    }

    #[test]
    fn names_are_paged_in_order() {
        let names = ["a", "cart", "ü"].map(str::to_owned).to_vec();
        let first = page_by_name(names.clone(), |name| name, None, 2);
        assert_eq!(first.items, ["a", "cart"]);
        let cursor = Cursor::try_from(first.next_cursor.unwrap()).unwrap();
        let last = page_by_name(names, |name| name, Some(&cursor), 2);
        assert_eq!((last.items, last.next_cursor, last.total), (vec!["ü".to_owned()], None, 3));
    }

    #[test]
    fn wrong_cursors_and_limits_are_refused() {
        for wrong in ["x", "6", "zz", "ff", "é"] {
            assert!(Cursor::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        let other = Cursor::try_from(Cursor::of("cart")).unwrap();
        assert!(page_by_number(0..1, |n| *n, (Some(&other), 1), |n| *n).is_err());
        assert!(limit(Some(0), None, MOST).is_err() && limit(Some(MOST + 1), None, MOST).is_err());
        assert_eq!(limit(None, None, MOST).unwrap(), 100);
    }
}
