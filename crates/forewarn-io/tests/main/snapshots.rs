use forewarn_io::csv::{read_snapshots, snapshots_from};

fn refusal(text: &str) -> String {
    snapshots_from(text.as_bytes(), "t.csv", "failed", &["split"])
        .expect_err("the text must be refused")
        .to_string()
}

#[test]
fn rows_are_examples_with_words_about_them() {
    let text = "\u{feff}a,failed,split,b\r\n1,0, train ,2\r\nNA,true,test,-4e1\r\n\r\n5,1,train,6";
    let table = snapshots_from(text.as_bytes(), "t.csv", "failed", &["split"]).unwrap();
    assert_eq!(table.all().positive(), [false, true, true]);
    assert_eq!(table.words("split").unwrap(), ["train", "test", "train"]);
    assert!(table.words("a").is_none());
    let train = table.with_word("split", "train");
    assert_eq!(train.labelled().windows().iter().collect::<Vec<_>>(), [[1.0, 2.0], [5.0, 6.0]]);
    let test = table.with_word("split", "test");
    let row = test.labelled().windows().iter().next().unwrap();
    assert!(row[0].is_nan() && row[1] == -40.0);
    assert!(table.with_word("split", "validation").is_empty() && table.with_word("b", "2").is_empty());
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let header = "a,failed,split\n";
    assert_eq!(
        refusal(&format!("{header}1,0,x\nfast,0,x\n")),
        "t.csv, line 3, column \"a\": \"fast\" is not a number"
    );
    for (rows, part) in [
        ("1,2,x\n", "failed"),
        ("1,,x\n", "failed"),
        ("inf,1,x\n", "inf"),
        ("1,0\n", "line 2"),
        ("", "t.csv"),
    ] {
        let message = refusal(&format!("{header}{rows}"));
        assert!(message.contains(part), "{message}");
    }
    assert!(refusal("a,split\n1,x\n").contains("failed"));
    assert!(refusal("a,failed\n1,0\n").contains("split"));
    assert!(refusal("failed,split\n1,x\n").contains("failed"));
    assert!(refusal("a,a,failed,split\n1,1,0,x\n").contains("\"a\""));
    assert!(refusal("").contains("t.csv"));
    for (outcome, words) in [("failed", ["split", "split"]), ("split", ["failed", "split"])] {
        let table = snapshots_from(&b"a,failed,split\n1,0,1\n"[..], "t.csv", outcome, &words);
        assert_eq!(table.unwrap_err().to_string(), "t.csv: column \"split\" is asked for twice");
    }
    assert!(
        read_snapshots("/no/such/file.csv", "failed", &[])
            .unwrap_err()
            .to_string()
            .contains("/no/such/file.csv")
    );
}
