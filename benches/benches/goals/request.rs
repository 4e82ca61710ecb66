//! What the caller asks for.

pub(crate) const USAGE: &str = "\
Usage: cargo xtask bench metrics [--quick] [--runs N] [--only GOAL[,GOAL]]
  --quick      fewer rounds: says whether it runs, and roughly what it costs
  --runs N     the whole measurement N times; medians over the runs are told
  --only       these goals alone, by number (1 to 18)
A round counts only if its threads had their processors. On a machine with other work few rounds of two threads do; give
them precedence there: chrt --rr 1 cargo xtask bench metrics";

pub(crate) struct Request {
    pub(crate) runs: usize,
    /// Rounds per case of recording.
    pub(crate) rounds: usize,
    /// Measurements per case that one thread does by itself.
    pub(crate) repeats: usize,
    only: Vec<u8>,
}

impl Request {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut request = Self { runs: 1, rounds: 41, repeats: 31, only: Vec::new() };
        while let Some(argument) = arguments.next() {
            let number = |text: Option<String>| {
                let text = text.ok_or(format!("{argument} needs a number"))?;
                text.split(',')
                    .map(|part| part.parse::<u8>().map_err(|_| format!("`{part}` is no number")))
                    .collect::<Result<Vec<_>, _>>()
            };
            match argument.as_str() {
                // Cargo says so to every benchmark.
                "--bench" => {}
                "--quick" => (request.rounds, request.repeats) = (7, 7),
                "--runs" => match number(arguments.next())?[..] {
                    [runs] if runs > 0 => request.runs = runs.into(),
                    _ => return Err("--runs needs one number, at least 1".to_owned()),
                },
                "--only" => request.only = number(arguments.next())?,
                other => return Err(format!("there is no option `{other}`")),
            }
        }
        match request.only.iter().find(|goal| !(1..=18).contains(*goal)) {
            Some(goal) => Err(format!("there is no goal {goal} in this table")),
            None => Ok(request),
        }
    }

    pub(crate) fn wants(&self, goal: u8) -> bool {
        self.only.is_empty() || self.only.contains(&goal)
    }
}
