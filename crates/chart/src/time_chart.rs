//! What charts over time have in common: the same setters, the same answers.

/// The setters that charts over time share.
macro_rules! time_chart {
    ($chart:ident) => {
        impl $chart {
            /// The unit of the values; plain numbers if not given.
            #[must_use]
            pub fn unit(mut self, unit: $crate::Unit) -> Self {
                self.plot.heading.unit = unit;
                self
            }

            /// Words for the axis in place of the unit's name: `% of peak equity`.
            #[must_use]
            pub fn axis_label(mut self, words: impl Into<String>) -> Self {
                self.plot.heading.axis_label = Some(words.into());
                self
            }

            /// How far apart points are meant to be; a line breaks beyond 2.5 times that.
            #[must_use]
            pub fn interval(mut self, interval: $crate::Interval) -> Self {
                self.plot.interval = interval;
                self
            }

            /// Shows exactly this span (microseconds UTC, both ends included): for charts that share a time axis, and
            /// for the empty end of a series that has gone stale. Ends in the wrong order are swapped.
            #[must_use]
            pub fn between(mut self, from: i64, to: i64) -> Self {
                self.plot.range = Some((from.min(to), from.max(to)));
                self
            }

            /// Adds a threshold band. One that is so far from the data that it would squeeze them is told under the
            /// chart and not drawn.
            #[must_use]
            pub fn band(mut self, band: $crate::Band) -> Self {
                self.plot.bands.push(band);
                self
            }

            /// Marks a moment on the first line.
            #[must_use]
            pub fn marker(mut self, at: i64, label: impl Into<String>, kind: $crate::MarkerKind) -> Self {
                self.plot.mark($crate::marker::Marker { at, label: label.into(), kind, line: None });
                self
            }

            /// Marks a moment on the line of that name; on the time axis if there is none.
            #[must_use]
            pub fn marker_on(
                mut self,
                line: impl Into<String>,
                at: i64,
                label: impl Into<String>,
                kind: $crate::MarkerKind,
            ) -> Self {
                self.plot.mark($crate::marker::Marker {
                    at,
                    label: label.into(),
                    kind,
                    line: Some(line.into()),
                });
                self
            }

            /// Half the height: for a chart that stands under another.
            #[must_use]
            pub fn flat(mut self) -> Self {
                self.plot.heading.is_flat = true;
                self
            }

            /// Leaves the title out of the picture (it stays its accessible name): for pages with headings of their own.
            #[must_use]
            pub fn hide_title(mut self) -> Self {
                self.plot.heading.is_title_hidden = true;
                self
            }

            /// Why there may be no data yet, shown in the empty frame: `no fills since start 09:12`.
            #[must_use]
            pub fn when_empty(mut self, reason: impl Into<String>) -> Self {
                self.plot.heading.when_empty = Some(reason.into());
                self
            }
        }

        impl $crate::Chart for $chart {
            fn title(&self) -> &str {
                &self.plot.heading.title
            }

            fn summary(&self) -> String {
                self.plot.summary()
            }

            fn tables(&self, rows: usize) -> Vec<$crate::DataTable> {
                self.plot.tables(rows)
            }

            fn draw(&self, size: $crate::Size) -> $crate::Drawing {
                self.plot.draw(size)
            }
        }
    };
}
pub(crate) use time_chart;
