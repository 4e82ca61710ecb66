//! What the desk is warned of.

use bellwether::alerts::rules::Expr;
use bellwether::prelude::*;

/// Depth of a drawdown at which each tier begins, and at which it is over again.
const DRAWDOWN_TIERS: [(Severity, f64, f64); 3] =
    [(Severity::Warning, 0.05, 0.03), (Severity::Error, 0.10, 0.06), (Severity::Critical, 0.15, 0.09)];

/// Beyond any weekend, also one that a holiday makes longer: markets were closed that should be open, or the
/// feed is silent.
const FEED_SILENCE: &str = "3d12h";

/// A book that has hardly traded yet has no value at risk to speak of, and every loss would be beyond it.
const LEAST_VAR: f64 = 0.005;

pub(crate) fn all() -> Vec<RuleBuilder> {
    let mut rules: Vec<_> = DRAWDOWN_TIERS
        .into_iter()
        .map(|(severity, depth, over)| {
            Rule::above("desk_drawdown_ratio", depth)
                .name("Drawdown")
                .clear_below(over)
                .severity(severity)
                .label("tier", severity.as_str())
                .annotation(
                    "summary",
                    "{{ $labels.strategy }} is {{ $value | humanizePercentage }} under its peak",
                )
        })
        .collect();
    let beyond = Expr::last("desk_loss_beyond_var_99_ratio").above(0.0);
    let judged = Expr::last("desk_rolling_var_99_ratio").above(LEAST_VAR);
    rules.push(Rule::when(beyond & judged).name("LossBeyondVaR").severity(Severity::Error).annotation(
        "summary",
        "{{ $labels.strategy }} lost {{ $value | humanizePercentage }} more than its VaR 99 %",
    ));
    rules.push(
        Rule::stale("desk_feed_price", FEED_SILENCE)
            .name("FeedStale")
            .severity(Severity::Warning)
            .annotation(
                "summary",
                "no price of {{ $labels.instrument }} for {{ $value | humanizeDuration }}",
            ),
    );
    rules
}
