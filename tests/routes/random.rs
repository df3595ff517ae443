//! Random tables and requests of a few words, the same for the same seed.

use crate::nearest::Written;

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of this table.
    pub(crate) fn new(seed: u64, table: u64) -> Self {
        let mut random = Self(seed ^ table.wrapping_mul(0xd134_2543_de82_ef95));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % bound
    }

    pub(crate) fn one_of<'t, T>(&mut self, values: &'t [T]) -> &'t T {
        &values[self.below(values.len())]
    }

    fn some_of(&mut self, values: &[&str], most: usize) -> Vec<String> {
        let mut chosen: Vec<String> = Vec::new();
        for _ in 0..self.below(most + 1) {
            let value = *self.one_of(values);
            if !chosen.iter().any(|known| known.eq_ignore_ascii_case(value)) {
                chosen.push(value.to_owned());
            }
        }
        chosen
    }

    pub(crate) fn routes(&mut self) -> Vec<Written> {
        // Few, or so many that some two of them are likely to tie.
        let count = if self.below(8) == 0 { 1 + self.below(3) } else { 3 + self.below(14) };
        (0..count).map(|number| self.route(number)).collect()
    }

    fn route(&mut self, number: usize) -> Written {
        let hosts = self.some_of(&["a.t", "B.A.t", "*.t", "*.a.t", "*.b.a.T", "t"], 2);
        let mut methods = self.some_of(&["GET", "PUT", "HEAD"], 2);
        if self.below(3) == 0 {
            methods.clear();
        }
        let mut paths: Vec<String> = (0..=self.below(2)).map(|_| self.template()).collect();
        paths.dedup();
        Written {
            name: format!("r{number}"),
            hosts: if hosts.is_empty() { vec![None] } else { hosts.into_iter().map(Some).collect() },
            methods,
            paths,
        }
    }

    fn template(&mut self) -> String {
        let mut template = String::new();
        for number in 0..self.below(4) {
            match self.below(5) {
                0 | 1 => template.push_str("/a"),
                2 => template.push_str("/b"),
                _ => template.push_str(&format!("/{{x{number}}}")),
            }
        }
        match self.below(6) {
            0 | 1 => template.push_str("/{*rest}"),
            2 => template.push('/'),
            _ if template.is_empty() => template.push('/'),
            _ => {}
        }
        template
    }

    /// A canonical path.
    pub(crate) fn path(&mut self) -> String {
        let path: String = (0..self.below(5)).map(|_| *self.one_of(&["/a", "/b", "/z"])).collect();
        if path.is_empty() { "/".into() } else { path }
    }
}
