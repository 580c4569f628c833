//! Files that mean harm, and files that were damaged in any way.

use forewarn_io::{ReadOptions, Shape, inspect_from, read_from};
use proptest::{collection::vec, prelude::*, sample::Index};

const SEEDS: [&str; 6] = [
    "timestamp,service,error_rate,x\n2024-01-01T00:00:00Z,web,0.5,1\n2024-01-01T00:01:00Z,web,0.25,-2e3\n",
    "Time;host;a_total;x\n2024-01-01 00:00;a;1;0,5\n2024-01-01 00:01;a;5;1.234,5\n",
    "#group,false\n#datatype,long\n,result,_time,_value\n,,2024-01-01T00:00:00Z,0.01\n",
    "timestamp,service,metric,value\n0,a,x,1\n0,a,y,2\n60,a,x,3 %\n",
    "[{\"ts\":0,\"host\":\"a\",\"x\":1,\"y\":null},{\"ts\":60,\"host\":\"a\",\"x\":\"5 ms\"}]",
    "sep=;\r\n\"timestamp\";\"x\"\r\n\"01.02.2024 10:00\";\"1\"\r\n",
];

const PIECES: [&str; 24] = [
    ",",
    ";",
    "\n",
    "\r",
    "\"",
    "9",
    "-",
    ".",
    "e",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\\",
    "#",
    "\0",
    "\u{feff}",
    "9999999999999",
    "timestamp",
    "-9999-01-01T00:00:00Z",
    "9999-12-30T23:59:59Z",
    "1e308",
    "NaN",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_text_makes_a_reader_panic(
        seed in any::<Index>(), edits in vec((any::<Index>(), any::<Index>(), 0usize..3), 0..12), shape in 0usize..3, zone in any::<bool>()
    ) {
        let mut text = SEEDS[seed.index(SEEDS.len())].as_bytes().to_vec();
        for (at, piece, kind) in edits {
            let (at, piece) = (at.index(text.len().max(1)).min(text.len()), PIECES[piece.index(PIECES.len())].as_bytes());
            match kind {
                0 => { text.splice(at..at, piece.iter().copied()); }
                1 => { text.splice(at..(at + piece.len()).min(text.len()), piece.iter().copied()); }
                _ => text.truncate(at + text.len() / 2),
            }
        }
        let mut options = ReadOptions::default().with_metric("m");
        options.shape = [Shape::Auto, Shape::Long, Shape::Wide][shape];
        if zone {
            options = options.with_timezone("America/New_York");
        }
        // Reading and a look agree on whether there is anything to read.
        let whole = read_from(text.as_slice(), "m", &options);
        let look = inspect_from(text.as_slice(), "m", &options);
        if let (Ok(whole), Ok(look)) = (&whole, &look) {
            prop_assert_eq!((whole.summary.rows, whole.summary.gap_rows), (look.rows, look.gap_rows));
        }
        prop_assert!(look.is_ok() || whole.is_err());
    }
}

#[test]
fn long_cells_and_many_columns_stay_out_of_messages() {
    let digits = "9".repeat(1 << 20);
    let error =
        read_from(format!("timestamp,x\n0,1\n60,{digits}x\n").as_bytes(), "m", &ReadOptions::default())
            .unwrap_err();
    assert!(error.to_string().len() < 400, "{}", error.to_string().len());
    let header: String = (0..20_000).map(|column| format!(",m{column}")).collect();
    let error = read_from(format!("when{header}\n").as_bytes(), "m", &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(error.len() < 1000 && error.contains("more"), "{}", error.len());
}

#[test]
fn a_gap_of_years_in_small_files_takes_no_memory() {
    let mut text = "timestamp,service,error_rate\n".to_owned();
    for service in 0..30 {
        for row in 0..60 {
            let time = 1_400_000_000i64 + row * 60 + if row > 58 { 300_000_000 } else { 0 };
            text += &format!("{time},s{service},0.001\n");
        }
    }
    let error = read_from(text.as_bytes(), "m", &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("m, line 61: 5000000 rows of \"s0\" are missing between"), "{error}");
    assert!(error.contains("in line 60"), "{error}");
}
