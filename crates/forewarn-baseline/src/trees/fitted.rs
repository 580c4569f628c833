use super::views::{View, Views};
use super::{
    boost::TreeFit,
    flat::{FlatForest, LANES},
    forest::{Forest, Importance, Node, Tree},
    shap,
};
use forewarn_core::{
    Attribution, Contribution, CoreError, Envelope, Evidence, Explain, ModelFileError, Predictor, Save,
    Score, Tensor, WindowSpec, Windows,
};
use forewarn_numerics::Moments;
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const KIND: &str = "boosted_trees";

/// Training windows that a column's normal is computed from.
const NORMAL_WINDOWS: usize = 50_000;

/// Fitted [`BoostedTrees`](crate::BoostedTrees).
///
/// Scoring takes about a nanosecond for each split of a tree with at most 16 leaves, and for each step down a larger
/// one, and a block of 16 rows of scratch. One window alone takes as long as several.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedTrees {
    schema: Schema,
    observation: usize,
    views: Views,
    forest: Forest,
    /// The same for scoring.
    flat: Box<FlatForest>,
    /// Mean and standard deviation of each column over training windows.
    normal: Vec<[f32; 2]>,
    fit: Option<TreeFit>,
}

impl FittedTrees {
    pub(super) fn new(
        windows: Windows<'_>,
        views: Views,
        forest: Forest,
        fit: TreeFit,
    ) -> Result<Self, CoreError> {
        if !forest.start.is_finite()
            || forest.trees.iter().flat_map(|tree| &tree.nodes).any(|node| !node.value.is_finite())
        {
            return Err(CoreError::NotFinite { what: "a leaf of the trees".to_owned() });
        }
        let normal = normal(windows, &views);
        let (schema, observation) = (windows.schema().clone(), windows.observation());
        let flat = Box::new(FlatForest::new(&forest));
        Ok(Self { schema, observation, views, forest, flat, normal, fit: Some(fit) })
    }

    /// What it sees of every feature.
    #[must_use]
    pub fn views(&self) -> &[View] {
        self.views.as_slice()
    }

    /// How the fit ended; `None` for a model that was read from a file.
    #[must_use]
    pub fn fit_summary(&self) -> Option<TreeFit> {
        self.fit
    }

    /// Number of trees.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.forest.trees.len()
    }

    /// What each column does in the trees, with the column's name, such as `error_rate, mean`; the one that saved
    /// most loss first.
    #[must_use]
    pub fn importance(&self) -> Vec<(String, Importance)> {
        let found = self.forest.importance(self.views.columns());
        let mut named: Vec<_> = found
            .into_iter()
            .enumerate()
            .map(|(column, found)| (self.views.name(&self.schema, column), found))
            .collect();
        named.sort_by(|a, b| b.1.gain.total_cmp(&a.1.gain));
        named
    }

    /// The log-odds of windows, `f` being told each in turn.
    fn each_log_odds(
        &self,
        windows: Windows<'_>,
        mut f: impl FnMut(usize, f64) -> Result<(), CoreError>,
    ) -> Result<(), CoreError> {
        let looked_at = self.flat.columns();
        let (mut row, mut scratch) = (vec![0.0; self.views.columns()], Vec::new());
        let mut block = vec![[0.0; LANES]; looked_at.len()];
        for first in (0..windows.len()).step_by(LANES) {
            let rows = first..(first + LANES).min(windows.len());
            for (lane, window) in rows.clone().filter_map(|row| windows.get(row)).enumerate() {
                self.views.write(window, &mut row, &mut scratch);
                for (values, &column) in block.iter_mut().zip(looked_at) {
                    values[lane] = row[column];
                }
            }
            for (index, log_odds) in rows.zip(self.flat.log_odds(&block)) {
                f(index, log_odds)?;
            }
        }
        Ok(())
    }

    /// The model that [`to_envelope`](Save::to_envelope) saved; its scores are identical.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`], [`ModelFileError::NotAModel`] for parameters or nodes that no fit makes,
    /// [`ModelFileError::MissingTensor`], [`ModelFileError::TensorShape`], [`CoreError::NotFinite`].
    pub fn from_envelope(mut envelope: Envelope) -> Result<Self, ModelFileError> {
        envelope.expect_kind(KIND)?;
        let refuse = |reason: String| ModelFileError::not_a_model(reason);
        let Parameters { views, viewed, trees, nodes } = envelope.take_parameters()?;
        let observation = envelope.window.observation();
        let views = Views::new(views, envelope.schema.len(), observation)
            .ok_or_else(|| refuse(format!("its views do not lie in a window of {observation} rows")))?;
        let views = match viewed {
            None => views,
            Some(viewed) => views.of_first(viewed).ok_or_else(|| {
                refuse(format!("its views are of {viewed} features of {}", envelope.schema.len()))
            })?,
        };
        let mut take = |name: &str, length| envelope.take_tensor(name, &[length]);
        let start = f64::from(take("start", 1)?[0]);
        let sizes = take("tree_nodes", trees)?;
        let value = take("node_value", nodes)?;
        let left = take("node_left", nodes)?;
        let column = take("node_column", nodes)?;
        let missing_left = take("node_missing_left", nodes)?;
        let (cover, gain) = (take("node_cover", nodes)?, take("node_gain", nodes)?);
        let normal = envelope.take_tensor("normal", &[views.columns(), 2])?;
        let (mut forest, mut first) = (Forest { start, trees: Vec::with_capacity(trees) }, 0usize);
        for (index, &size) in sizes.iter().enumerate() {
            let size = size as usize;
            let end = first.checked_add(size).filter(|&end| size > 0 && end <= nodes);
            let Some(end) = end else {
                return Err(refuse(format!("tree {index} has {size} nodes of {nodes}")));
            };
            let part = first..end;
            expect_tree(&left[part.clone()], &column[part.clone()], &cover[part.clone()], views.columns())
                .map_err(|reason| refuse(format!("tree {index}: {reason}")))?;
            let node =
                |at: usize| Node::new(value[at], left[at] as u32, column[at] as u32, missing_left[at] > 0.0);
            let tree = part.clone().map(node).collect();
            forest.trees.push(Tree::from_parts(tree, cover[part.clone()].to_vec(), gain[part].to_vec()));
            first = end;
        }
        if first != nodes {
            return Err(refuse(format!("{} nodes belong to no tree", nodes - first)));
        }
        let (pairs, _) = normal.as_chunks::<2>();
        let flat = Box::new(FlatForest::new(&forest));
        let (schema, normal) = (envelope.schema, pairs.to_vec());
        Ok(Self { schema, observation, views, forest, flat, normal, fit: None })
    }
}

impl Save for FittedTrees {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation)?;
        let trees = &self.forest.trees;
        let nodes = || trees.iter().flat_map(|tree| &tree.nodes);
        let flat = |values: Vec<f32>| Tensor::new(vec![values.len()], values);
        let side = |node: &Node| if node.missing_left() { 1.0 } else { 0.0 };
        let tensors = BTreeMap::from([
            ("start".to_owned(), flat(vec![self.forest.start as f32])?),
            ("tree_nodes".to_owned(), flat(trees.iter().map(|tree| tree.nodes.len() as f32).collect())?),
            ("node_value".to_owned(), flat(nodes().map(|node| node.value).collect())?),
            ("node_left".to_owned(), flat(nodes().map(|node| node.left as f32).collect())?),
            ("node_column".to_owned(), flat(nodes().map(|node| node.column() as f32).collect())?),
            ("node_missing_left".to_owned(), flat(nodes().map(side).collect())?),
            ("node_cover".to_owned(), flat(trees.iter().flat_map(|tree| tree.cover.clone()).collect())?),
            ("node_gain".to_owned(), flat(trees.iter().flat_map(|tree| tree.gain.clone()).collect())?),
            ("normal".to_owned(), Tensor::new(vec![self.normal.len(), 2], self.normal.concat())?),
        ]);
        let envelope = Envelope::new(KIND, self.schema.clone(), window).with_parameters(&Parameters {
            views: self.views.as_slice().to_vec(),
            viewed: (self.views.viewed() < self.schema.len()).then_some(self.views.viewed()),
            trees: trees.len(),
            nodes: nodes().count(),
        })?;
        Ok(Envelope { tensors, ..envelope })
    }
}

impl Predictor for FittedTrees {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        self.explain(window).map(Some)
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        self.each_log_odds(windows, |index, log_odds| {
            scores[index] = Score::from_logit(log_odds)?;
            Ok(())
        })
    }
}

impl Explain for FittedTrees {
    /// Shapley values of the trees; columns that move nothing are left out.
    ///
    /// # Errors
    /// As [`Explain::explain`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        let score = self.score_one(window)?;
        let mut row = vec![0.0; self.views.columns()];
        self.views.write(window, &mut row, &mut Vec::new());
        let parts = shap::contributions(&self.forest, &row);
        let contributions = parts.into_iter().enumerate().filter(|&(_, log_odds)| log_odds != 0.0);
        let contributions = contributions.map(|(column, log_odds)| {
            let (view, feature) = self.views.place(column);
            let (oldest, newest) = view.span(self.observation);
            let [normal, deviation] = self.normal[column];
            Contribution {
                metric: self.schema.metrics()[feature].name.clone(),
                view: view.describe(),
                oldest_steps_ago: oldest,
                newest_steps_ago: newest,
                value: Some(row[column]).filter(|value| !value.is_nan()),
                normal: Some(normal),
                deviation: Some(deviation),
                log_odds,
            }
        });
        Evidence::new(score, Attribution::TreeShap, shap::expected(&self.forest), contributions.collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    views: Vec<View>,
    /// Features that the views are of, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    viewed: Option<usize>,
    trees: usize,
    nodes: usize,
}

/// Most splits on the way to a leaf: evidence takes memory by its square.
const MOST_DEPTH: usize = 1024;

/// Refuses nodes that are not one tree with its root first, as a fit makes them: every way through it ends in a leaf,
/// and no way meets another.
fn expect_tree(left: &[f32], column: &[f32], cover: &[f32], columns: usize) -> Result<(), String> {
    let is_index =
        |value: f32, below: usize| value >= 0.0 && value.fract() == 0.0 && (value as usize) < below;
    let mut depth = vec![None; left.len()];
    depth[0] = Some(0);
    for at in 0..left.len() {
        let Some(here) = depth[at] else { return Err(format!("node {at} is not a split's child")) };
        let is_leaf = left[at] == 0.0;
        if !(cover[at] > 0.0 || is_leaf && at > 0) {
            return Err(format!("node {at} has no training windows"));
        }
        if is_leaf {
            continue;
        }
        // The right child lies behind the left one.
        if !is_index(left[at], left.len() - 1) || left[at] as usize <= at {
            let (child, nodes) = (left[at], left.len());
            return Err(format!("the left child of node {at} is {child}: expected a later node of {nodes}"));
        }
        if !is_index(column[at], columns) {
            return Err(format!("node {at} splits column {}: there are {columns}", column[at]));
        }
        if here == MOST_DEPTH {
            return Err(format!("a way has more than {MOST_DEPTH} splits"));
        }
        for child in [left[at] as usize, left[at] as usize + 1] {
            if depth[child].replace(here + 1).is_some() {
                return Err(format!("node {child} is the child of two splits"));
            }
        }
    }
    Ok(())
}

/// Mean and standard deviation of every column, over training windows spread evenly; 0 and 0 for a column that is
/// always missing.
fn normal(windows: Windows<'_>, views: &Views) -> Vec<[f32; 2]> {
    let stride = windows.len().div_ceil(NORMAL_WINDOWS).max(1);
    let (mut row, mut scratch) = (vec![0.0; views.columns()], Vec::new());
    let mut columns = vec![Moments::default(); views.columns()];
    for window in windows.iter().step_by(stride) {
        views.write(window, &mut row, &mut scratch);
        Moments::push_row(&mut columns, &row);
    }
    columns.into_iter().map(|column| [column.mean as f32, column.deviation() as f32]).collect()
}
