use super::Column;

/// A normaliser of one service's rows; see [`Normaliser::of_service`](super::Normaliser::of_service).
#[derive(Clone, Debug)]
pub struct RowNormaliser {
    limit: f32,
    kind: Columns,
}

#[derive(Clone, Debug)]
enum Columns {
    /// Repeated for a few rows: one loop without an end for each row. Three numbers a column, in single precision:
    /// eight values at a time where double precision has four, and no conversions.
    Linear { width: usize, high: Vec<f32>, low: Vec<f32>, inverse_scale: Vec<f32> },
    /// Columns that are not linear, or whose numbers are too large or too small for the quick way.
    Each(Vec<Column>),
}

impl RowNormaliser {
    /// Rows that one loop goes over.
    const ROWS: usize = 8;

    pub(super) fn new(columns: &[Column], limit: f32) -> Self {
        Self::repeated(columns, limit, Self::ROWS)
    }

    /// The same in an eighth of the memory, for a service whose rows come one at a time.
    pub(super) fn of_single_rows(columns: &[Column], limit: f32) -> Self {
        Self::repeated(columns, limit, 1)
    }

    fn repeated(columns: &[Column], limit: f32, rows: usize) -> Self {
        let Some(row) = columns.iter().map(split).collect::<Option<Vec<_>>>() else {
            return Self { limit, kind: Columns::Each(columns.to_vec()) };
        };
        let (width, row) = (row.len(), row.repeat(rows));
        let part = |part: usize| row.iter().map(|column| column[part]).collect();
        Self { limit, kind: Columns::Linear { width, high: part(0), low: part(1), inverse_scale: part(2) } }
    }

    /// Normalises whole rows in place, with the same bits as [`Normaliser::apply`](super::Normaliser::apply); values
    /// beyond the last whole row are left as they are.
    pub fn apply(&self, rows: &mut [f32]) {
        match &self.kind {
            Columns::Linear { width, high, low, inverse_scale } => {
                let whole = rows.len() / (*width).max(1) * width;
                for rows in rows[..whole].chunks_mut(high.len().max(1)) {
                    let columns = high.iter().zip(low).zip(inverse_scale);
                    for (value, ((high, low), inverse)) in rows.iter_mut().zip(columns) {
                        *value = (((*value - high) - low) * inverse).clamp(-self.limit, self.limit);
                    }
                }
            }
            Columns::Each(columns) => {
                for row in rows.chunks_exact_mut(columns.len()) {
                    for (value, column) in row.iter_mut().zip(columns) {
                        *value = column.normalise(*value).clamp(-self.limit, self.limit);
                    }
                }
            }
        }
    }
}

/// A linear column's centre as the sum of two numbers in single precision, and its inverse scale.
///
/// A value near the centre minus its high part is exact (Sterbenz' lemma), and the low part brings the digits that a
/// centre of single precision would lose: with a metric of 1e9 and a deviation of 50, standard scores would be off by
/// one.
fn split(column: &Column) -> Option<[f32; 3]> {
    let Column::Linear { centre, scale } = column else { return None };
    let high = *centre as f32;
    let low = (centre - f64::from(high)) as f32;
    let inverse = scale.recip() as f32;
    (high.abs() < 1e37 && inverse.is_normal()).then_some([high, low, inverse])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn single_precision_loses_nothing(
            centre in -1e9f64..1e9, scale in 1e-3f64..1e6, deviations in -20f64..20.0,
        ) {
            let column = Column::linear(centre, scale);
            let value = (centre + deviations * scale) as f32;
            let mut row = [value, f32::NAN];
            RowNormaliser::new(&[column.clone(), column.clone()], 1e9).apply(&mut row);
            let exact = f64::from(column.normalise(value));
            prop_assert!((f64::from(row[0]) - exact).abs() <= 3e-7 * (exact.abs() + 1e-3), "{} {exact}", row[0]);
            prop_assert!(row[1].is_nan());
        }
    }

    #[test]
    fn what_single_precision_cannot_hold_goes_the_other_way() {
        for (centre, scale, value) in [(3e38, 1e38, -3e38f32), (0.0, 1e-42, 1e-42), (0.0, 1e39, 2e38)] {
            let column = Column::Linear { centre, scale };
            let mut row = [value];
            RowNormaliser::new(std::slice::from_ref(&column), f32::INFINITY).apply(&mut row);
            assert_eq!(row[0], column.normalise(value));
            assert!(row[0].is_finite());
        }
    }
}
