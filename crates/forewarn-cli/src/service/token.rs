use crate::{error::CliError, output::terminal};
use clap::Args;
use forewarn_server::http::{TokenHash, new_token};

/// Make a token for the API of the live service
///
/// Prints the token, which is kept nowhere, and the line that lets a configuration accept it.
#[derive(Args)]
pub(crate) struct Token {}

impl Token {
    pub(crate) fn run(&self) -> Result<(), CliError> {
        let token = new_token()?;
        terminal::print(&format!("token: {token}\nsha256 = \"{}\"", TokenHash::of(&token)))
    }
}
