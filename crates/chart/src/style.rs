//! The style sheet that the pages of charts carry, made from the palette.

use std::fmt::Write as _;

use crate::palette::{Role, Theme};

/// The CSS for charts and figures, both themes. One page carries it once, from a file or a hashed `<style>`.
///
/// The theme follows `prefers-color-scheme`; `data-theme="light"` or `"dark"` on any ancestor decides against it.
/// Print is always light. Where the reader forces colours, series are told apart by dashes.
/// The palette is there for the page as custom properties (`var(--bw-ink)`, see [`Role::property`]).
pub fn stylesheet() -> String {
    let mut css = chart_rules();
    css.push_str(FIGURE_RULES);
    css
}

/// The rules a lone chart needs.
pub(crate) fn chart_rules() -> String {
    let mut css = String::with_capacity(6_000);
    let (light, dark) = (properties(Theme::Light), properties(Theme::Dark));
    let _ = writeln!(css, ":root,[data-theme=\"light\"]{{color-scheme:light dark;{light}}}");
    let _ = writeln!(
        css,
        "@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=\"light\"]){{{dark}}}}}\n[data-theme=\"dark\"]{{color-scheme:dark;{dark}}}\n[data-theme=\"light\"]{{color-scheme:light}}"
    );
    let _ = writeln!(css, "@media print{{:root,[data-theme]{{color-scheme:light;{light}}}}}");
    css.push_str(CHART_RULES);
    for role in Role::ALL {
        let (key, property) = (role.key(), role.property());
        let _ = writeln!(css, ".bw-f-{key}{{fill:var({property})}}.bw-l-{key}{{stroke:var({property})}}");
    }
    css.push_str(FORCED_RULES);
    css
}

fn properties(theme: Theme) -> String {
    Role::ALL.iter().fold(String::new(), |mut list, role| {
        let _ = write!(list, "{}:{};", role.property(), theme.colour(*role).hex());
        list
    })
}

const CHART_RULES: &str = "\
.bw-chart{display:block;width:100%;height:auto;background:var(--bw-panel);font-variant-numeric:tabular-nums;print-color-adjust:exact;-webkit-print-color-adjust:exact}
";

/// With forced colours the palette gives way to the reader's own and series differ by dashes.
const FORCED_RULES: &str = "\
@media (forced-colors:active){
.bw-chart [class*=\"bw-f-\"]{fill:CanvasText}.bw-chart [class*=\"bw-l-\"]{stroke:CanvasText}
.bw-chart .bw-f-panel{fill:Canvas}.bw-chart .bw-l-panel{stroke:Canvas}.bw-chart .bw-l-grid{stroke-opacity:.3}
.bw-chart .bw-l-s2{stroke-dasharray:7 3}.bw-chart .bw-l-s3{stroke-dasharray:2 3}.bw-chart .bw-l-s4{stroke-dasharray:10 3 2 3}.bw-chart .bw-l-s5{stroke-dasharray:4 2}
}
";

const FIGURE_RULES: &str = "\
.bw-figure{container-type:inline-size;width:100%;margin:0;background:var(--bw-panel);color:var(--bw-ink);font-variant-numeric:tabular-nums}
.bw-figure>.bw-at-narrow{display:none;max-width:30rem}
@media screen{
@container (max-width:639.9px){.bw-figure>.bw-at-wide{display:none}.bw-figure>.bw-at-wide~.bw-at-narrow{display:block}}
@container (max-width:439.9px){.bw-figure>.bw-at-half{display:none}.bw-figure>.bw-at-half~.bw-at-narrow{display:block}}
}
.bw-figure summary{color:var(--bw-muted);font-size:.8125rem;line-height:1.5rem;cursor:pointer;width:max-content;max-width:100%}
.bw-figure summary:focus-visible,.bw-scroll:focus-visible{outline:2px solid var(--bw-s1);outline-offset:2px}
.bw-scroll{max-height:20rem;overflow:auto;margin-bottom:.75rem}
.bw-table{border-collapse:collapse;font-size:.8125rem}
.bw-table caption{text-align:left;color:var(--bw-muted);padding:.25rem 0}
.bw-table th,.bw-table td{padding:.2rem .75rem .2rem 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--bw-grid);font-weight:400}
.bw-table thead th{color:var(--bw-muted);position:sticky;top:0;background:var(--bw-panel)}
.bw-table th:first-child,.bw-table .bw-words{text-align:left}
@media print{.bw-figure details{display:none}.bw-figure{break-inside:avoid}}
";
