// SPDX-License-Identifier: Apache-2.0
//! The table of paths that are served.

use std::collections::HashMap;

pub struct Route {
    pub method: String,
    pub needs_key: bool,
    pub immediate: bool,
    pub index: usize,
}

#[derive(Default)]
pub struct Routes {
    exact: HashMap<String, Vec<Route>>,
    /// Path up to the star, the longest first.
    prefixes: Vec<(String, Vec<Route>)>,
}

impl Routes {
    pub fn add(&mut self, path: &str, route: Route) {
        let Some(prefix) = path.strip_suffix('*') else {
            self.exact.entry(path.to_string()).or_default().push(route);
            return;
        };
        if let Some((_, routes)) = self.prefixes.iter_mut().find(|(known, _)| known == prefix) {
            routes.push(route);
            return;
        }
        self.prefixes.push((prefix.to_string(), vec![route]));
        self.prefixes.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
    }

    /// All that a path answers to, one of each method; empty: it is not served.
    pub fn at(&self, path: &str) -> &[Route] {
        if let Some(routes) = self.exact.get(path) {
            return routes;
        }
        let found = self.prefixes.iter().find(|(prefix, _)| path.len() > prefix.len() && path.starts_with(prefix));
        found.map(|(_, routes)| routes.as_slice()).unwrap_or(&[])
    }
}

/// The route for a method; a HEAD is a GET without its body.
pub fn for_method<'a>(routes: &'a [Route], method: &str) -> Option<&'a Route> {
    let wanted = if method == "HEAD" { "GET" } else { method };
    routes.iter().find(|route| route.method == wanted)
}

/// The value of an Allow header.
pub fn allowed(routes: &[Route]) -> String {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods.join(", ")
}
