//! Delivery routes of a person's file: JSON with stops and vehicles (format in docs/planner/routes.md), or a VRPLIB instance (`.vrp`).
//! Invariant: what cannot be visited comes back with its reason; times are shown as they were written, as "HH:MM".
//!
//! Positions are `lat`/`lon` (great circle × `detour`, driven at `speed_kmh`) or `x`/`y` in kilometres. Costs are cents.

use crate::bench_routes::vrplib;
use crate::{PlanningError, seconds_now};
use planner::routes::{
    self, Event, Goods, Load, MAX_LEG, Pace, Problem, Reason, RoutePlan, Settings, Stop, Travel, UNREACHABLE,
    Vehicle,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// Internal cost units in a cent: a price per kilometre is then exact for a metre.
const UNITS: f64 = 1_000.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    stops: Vec<FileStop>,
    vehicles: Vec<FileVehicle>,
    #[serde(default = "speed")]
    speed_kmh: f64,
    #[serde(default = "detour")]
    detour: f64,
    /// Planning again: the time it is …
    now: Option<String>,
    /// … the plan so far, as it came out of here …
    plan: Option<RoutePlan>,
    /// … what happened …
    #[serde(default)]
    events: Vec<Event>,
    /// … and where the goods are.
    #[serde(default)]
    goods: Goods,
}

fn speed() -> f64 {
    40.0
}

fn cost_per_km() -> f64 {
    100.0
}

fn detour() -> f64 {
    1.3
}

#[derive(Deserialize, Clone, Copy)]
struct Point {
    lat: Option<f64>,
    lon: Option<f64>,
    x: Option<f64>,
    y: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStop {
    id: String,
    at: Point,
    #[serde(default)]
    deliver: Load,
    #[serde(default)]
    collect: Load,
    #[serde(default)]
    minutes: f64,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    skills: Vec<String>,
    #[serde(default)]
    priority: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileVehicle {
    id: String,
    capacity: Load,
    start: Point,
    end: Option<Point>,
    /// Ends at its last stop.
    #[serde(default)]
    open_end: bool,
    from: Option<String>,
    to: Option<String>,
    max_hours: Option<f64>,
    #[serde(default)]
    skills: Vec<String>,
    #[serde(default)]
    cost: f64,
    #[serde(default = "cost_per_km")]
    cost_per_km: f64,
    #[serde(default)]
    cost_per_hour: f64,
}

/// A problem with the names and positions to answer in.
struct Asked {
    problem: Problem,
    stops: Vec<String>,
    vehicles: Vec<String>,
    points: Vec<(f64, f64)>,
    /// Units of cost and distance in what is shown.
    cost: f64,
    distance: f64,
    again: Option<(i64, RoutePlan, Vec<Event>, Goods)>,
    clock: bool,
}

/// Plans the routes of a file, and draws them.
pub fn run(input: &Path, svg: Option<&Path>, seconds: f64) -> Result<Value, PlanningError> {
    let begin = seconds_now();
    let asked = if input.extension().is_some_and(|e| e.eq_ignore_ascii_case("vrp")) {
        instance(input)?
    } else {
        read(input)?
    };
    let clock = || (seconds_now() - begin) / seconds.max(1e-3);
    let (settings, pace) = (Settings::default(), Pace::Clock(&clock));
    let wrong = |problem: String| PlanningError::input(input, "routes", problem);
    let plan = match &asked.again {
        Some((now, plan, events, goods)) => {
            routes::replan(&asked.problem, plan, *now, events, *goods, (&settings, &pace))
                .map_err(|e| wrong(e.to_string()))?
                .1
        }
        None => routes::route(&asked.problem, &[], &settings, &pace).map_err(|e| wrong(e.to_string()))?,
    };
    if let Some(path) = svg {
        std::fs::write(path, draw(&asked, &plan)).map_err(|e| PlanningError::file(path, e))?;
    }
    Ok(answer(&asked, &plan))
}

fn instance(input: &Path) -> Result<Asked, PlanningError> {
    let i = vrplib::read(input)?;
    Ok(Asked {
        stops: (0..i.problem.stops.len()).map(|s| (s + 1).to_string()).collect(),
        vehicles: (0..i.problem.vehicles.len()).map(|v| (v + 1).to_string()).collect(),
        points: i.points,
        problem: i.problem,
        cost: i.scale,
        distance: i.scale,
        again: None,
        clock: false,
    })
}

fn read(path: &Path) -> Result<Asked, PlanningError> {
    let text = std::fs::read_to_string(path).map_err(|e| PlanningError::file(path, e))?;
    let file: File = serde_json::from_str(&text).map_err(|e| {
        PlanningError::input(path, format!("line {}, column {}", e.line(), e.column()), e.to_string())
    })?;
    let wrong = |place: &str, problem: &str| PlanningError::input(path, place, problem);
    if !(file.speed_kmh > 0.0 && file.speed_kmh < 1e4 && file.detour >= 1.0 && file.detour < 100.0) {
        return Err(wrong("speed_kmh, detour", "a speed above 0 and a factor of at least 1 are needed"));
    }
    let mut reading = Reading { path, points: Vec::new(), skills: Vec::new() };
    let mut problem = Problem::default();
    for s in &file.stops {
        problem.stops.push(reading.stop(s)?);
    }
    for v in &file.vehicles {
        problem.vehicles.push(reading.vehicle(v)?);
    }
    problem.travel = travel(&reading.points, file.speed_kmh, file.detour);
    let again = match (file.now, file.plan) {
        (Some(now), Some(plan)) => {
            let now = reading.time(Some(&now), 0, "now")?;
            Some((now, plan, file.events, file.goods))
        }
        (None, None) => None,
        _ => return Err(wrong("now, plan", "planning again needs both")),
    };
    Ok(Asked {
        problem,
        stops: file.stops.into_iter().map(|s| s.id).collect(),
        vehicles: file.vehicles.into_iter().map(|v| v.id).collect(),
        points: plane(&reading.points),
        cost: UNITS,
        distance: 1_000.0,
        again,
        clock: true,
    })
}

/// What has been read so far: positions are places in this order, skills are bits in this order.
struct Reading<'a> {
    path: &'a Path,
    points: Vec<Point>,
    skills: Vec<String>,
}

impl Reading<'_> {
    fn stop(&mut self, s: &FileStop) -> Result<Stop, PlanningError> {
        let usual = Stop::default();
        let at = |field: &str| format!("stop {}, {field}", s.id);
        self.points.push(s.at);
        Ok(Stop {
            place: self.points.len() - 1,
            deliver: s.deliver,
            collect: s.collect,
            service: (s.minutes * 60.0).round() as i64,
            earliest: self.time(s.from.as_deref(), usual.earliest, &at("from"))?,
            latest: self.time(s.to.as_deref(), usual.latest, &at("to"))?,
            skills: self.bits(&s.skills, &at("skills"))?,
            priority: s.priority,
            only: None,
        })
    }

    fn vehicle(&mut self, v: &FileVehicle) -> Result<Vehicle, PlanningError> {
        let usual = Vehicle::default();
        let at = |field: &str| format!("vehicle {}, {field}", v.id);
        self.points.push(v.start);
        let start = self.points.len() - 1;
        let end = match v.end {
            _ if v.open_end => None,
            None => Some(start),
            Some(end) => {
                self.points.push(end);
                Some(start + 1)
            }
        };
        Ok(Vehicle {
            capacity: v.capacity,
            start,
            end,
            shift_start: self.time(v.from.as_deref(), usual.shift_start, &at("from"))?,
            shift_end: self.time(v.to.as_deref(), usual.shift_end, &at("to"))?,
            max_duration: v.max_hours.map(|h| (h * 3600.0).round() as i64),
            skills: self.bits(&v.skills, &at("skills"))?,
            fixed_cost: (v.cost * UNITS).round() as i64,
            distance_cost: v.cost_per_km.round() as i64,
            duration_cost: (v.cost_per_hour * UNITS / 3600.0).round() as i64,
            ..usual
        })
    }

    fn bits(&mut self, names: &[String], place: &str) -> Result<u64, PlanningError> {
        let mut bits = 0;
        for name in names {
            let at = self.skills.iter().position(|s| s == name).unwrap_or(self.skills.len());
            if at == self.skills.len() {
                self.skills.push(name.clone());
            }
            // The last bit belongs to planning again.
            if at >= 63 {
                return Err(PlanningError::input(self.path, place, "more than 63 different skills"));
            }
            bits |= 1 << at;
        }
        Ok(bits)
    }

    fn time(&self, text: Option<&str>, otherwise: i64, place: &str) -> Result<i64, PlanningError> {
        let Some(text) = text else { return Ok(otherwise) };
        seconds_of(text).ok_or_else(|| {
            PlanningError::input(self.path, place, format!("“{text}” is not a time like 08:30"))
        })
    }
}

/// "08:30" or "08:30:15" as seconds; hours may go beyond 24, the next day.
fn seconds_of(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|p| p.parse::<i64>().ok().filter(|n| (0..100_000).contains(n)));
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().map_or(Some(0), |s| s)?;
    (minutes < 60 && seconds < 60 && parts.next().is_none()).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Metres and seconds between all points; a point without a position has no way to anywhere.
fn travel(points: &[Point], speed_kmh: f64, detour: f64) -> Travel {
    let n = points.len();
    let mut travel = Travel { places: n, distance: Vec::with_capacity(n * n), duration: Some(Vec::new()) };
    for a in points {
        for b in points {
            let metres = metres(*a, *b).map(|m| m * detour).filter(|m| m.is_finite() && *m < 1e8);
            let seconds = metres.map(|m| m / (speed_kmh / 3.6)).filter(|s| *s < MAX_LEG as f64);
            travel.distance.push(metres.map_or(UNREACHABLE, |m| m.round() as i64));
            if let Some(durations) = &mut travel.duration {
                durations.push(seconds.map_or(UNREACHABLE, |s| s.round() as i64));
            }
        }
    }
    travel
}

fn metres(a: Point, b: Point) -> Option<f64> {
    if let (Some(ax), Some(ay), Some(bx), Some(by)) = (a.x, a.y, b.x, b.y) {
        return Some((ax - bx).hypot(ay - by) * 1_000.0);
    }
    let (lat_a, lon_a, lat_b, lon_b) = (a.lat?, a.lon?, b.lat?, b.lon?);
    let real = |lat: f64, lon: f64| lat.abs() <= 90.0 && lon.abs() <= 180.0;
    if !real(lat_a, lon_a) || !real(lat_b, lon_b) {
        return None;
    }
    let (p, q) = (lat_a.to_radians(), lat_b.to_radians());
    let (dp, dl) = ((q - p) / 2.0, (lon_b - lon_a).to_radians() / 2.0);
    let h = dp.sin().powi(2) + p.cos() * q.cos() * dl.sin().powi(2);
    Some(2.0 * 6_371_000.0 * h.sqrt().min(1.0).asin())
}

/// Where points are on the drawing: north up, degrees of longitude as short as they are at the middle latitude.
fn plane(points: &[Point]) -> Vec<(f64, f64)> {
    let real = |p: &&Point| p.lat.is_some_and(|lat| lat.abs() <= 90.0);
    let latitudes = || points.iter().filter(real).filter_map(|p| p.lat);
    let middle = latitudes().sum::<f64>() / latitudes().count().max(1) as f64;
    let spot = |p: &Point| match (p.x, p.y, p.lat, p.lon) {
        (Some(x), Some(y), _, _) => (x, y),
        (_, _, Some(lat), Some(lon)) if lat.abs() <= 90.0 && lon.abs() <= 180.0 => {
            (lon * middle.to_radians().cos(), lat)
        }
        _ => (f64::NAN, f64::NAN),
    };
    points.iter().map(spot).collect()
}

fn answer(asked: &Asked, plan: &RoutePlan) -> Value {
    let time = |t: i64| {
        if asked.clock {
            json!(format!("{:02}:{:02}:{:02}", t / 3600, t / 60 % 60, t % 60))
        } else {
            json!(t as f64 / asked.distance)
        }
    };
    let routes: Vec<Value> = plan
        .routes
        .iter()
        .map(|r| {
            let stops: Vec<Value> = r
                .visits
                .iter()
                .map(|v| json!({ "stop": asked.stops[v.stop], "arrive": time(v.arrive), "begin": time(v.begin) }))
                .collect();
            json!({
                "vehicle": asked.vehicles[r.vehicle], "leave": time(r.leave), "stops": stops, "back": time(r.back),
                "distance": r.distance as f64 / asked.distance, "cost": r.cost as f64 / asked.cost,
            })
        })
        .collect();
    let left_out = |why: &Reason| json!({ "code": why, "why": why.to_string() });
    let unassigned: Vec<Value> = plan
        .unassigned
        .iter()
        .map(|u| json!({ "stop": asked.stops[u.stop], "reason": left_out(&u.why) }))
        .collect();
    json!({
        "routes": routes, "unassigned": unassigned,
        "cost": plan.cost as f64 / asked.cost, "distance": plan.distance as f64 / asked.distance,
        // What planning again asks for.
        "plan": plan,
    })
}

const SIZE: f64 = 900.0;
const MARGIN: f64 = 20.0;
/// More stops than that are drawn without their names beside them.
const NAMED: usize = 60;

/// The routes, each in its colour; stops that are left out are hollow.
fn draw(asked: &Asked, plan: &RoutePlan) -> String {
    let real = || asked.points.iter().filter(|p| p.0.is_finite() && p.1.is_finite());
    let low = real().fold((f64::MAX, f64::MAX), |a, p| (a.0.min(p.0), a.1.min(p.1)));
    let high = real().fold((f64::MIN, f64::MIN), |a, p| (a.0.max(p.0), a.1.max(p.1)));
    let span = (high.0 - low.0).max(high.1 - low.1).max(1e-9);
    let spot = |place: usize| {
        let p = asked.points.get(place).copied().filter(|p| p.0.is_finite()).unwrap_or(low);
        let scale = (SIZE - 2.0 * MARGIN) / span;
        (MARGIN + (p.0 - low.0) * scale, SIZE - MARGIN - (p.1 - low.1) * scale)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIZE} {SIZE}\" font-family=\"sans-serif\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let problem = &asked.problem;
    // Writing to a String cannot fail.
    for (at, route) in plan.routes.iter().enumerate() {
        let vehicle = &problem.vehicles[route.vehicle];
        let mut places = vec![vehicle.start];
        places.extend(route.visits.iter().map(|v| problem.stops[v.stop].place));
        places.extend(vehicle.end);
        let line: Vec<String> =
            places.iter().map(|p| spot(*p)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let hue = (at * 137) % 360;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"hsl({hue} 70% 40%)\" stroke-width=\"1.5\"><title>{}</title></polyline>",
            line.join(" "),
            escape(&asked.vehicles[route.vehicle])
        );
    }
    dots(asked, plan, &spot, &mut svg);
    svg.push_str("</svg>\n");
    svg
}

fn dots(asked: &Asked, plan: &RoutePlan, spot: &dyn Fn(usize) -> (f64, f64), svg: &mut String) {
    let problem = &asked.problem;
    for (stop, s) in problem.stops.iter().enumerate() {
        let (x, y) = spot(s.place);
        let out = plan.unassigned.iter().any(|u| u.stop == stop);
        let fill = if out { "#fff" } else { "#333" };
        let name = escape(&asked.stops[stop]);
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{fill}\" stroke=\"#333\"><title>{name}</title></circle>"
        );
        if problem.stops.len() <= NAMED {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\">{name}</text>",
                x + 6.0,
                y + 4.0
            );
        }
    }
    let mut depots: Vec<usize> = problem.vehicles.iter().map(|v| v.start).collect();
    depots.sort_unstable();
    depots.dedup();
    for place in depots {
        let (x, y) = spot(place);
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" fill=\"#c00\"/>",
            x - 5.0,
            y - 5.0
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str = r#"{
        "stops": [
            {"id": "A", "at": {"x": 1, "y": 0}, "deliver": [2, 0], "minutes": 5, "from": "09:00", "to": "10:00"},
            {"id": "B <&>", "at": {"x": 2, "y": 0}, "collect": [3, 0], "skills": ["lift"]},
            {"id": "C", "at": {"lat": 99, "lon": 0}}
        ],
        "vehicles": [{"id": "van", "capacity": [5, 0], "start": {"x": 0, "y": 0}, "from": "08:00", "skills": ["lift"]}],
        "detour": 1
    }"#;

    fn written(name: &str, text: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("fulmar-routes-{name}-{}.json", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_file_becomes_a_plan_a_drawing_and_after_a_breakdown_another_plan() {
        let path = written("day", DAY);
        let drawing = path.with_extension("svg");
        let plan = run(&path, Some(&drawing), 0.05).unwrap();
        assert_eq!(plan["routes"][0]["vehicle"], "van");
        assert_eq!((&plan["distance"], &plan["cost"]), (&json!(4.0), &json!(400.0)));
        assert_eq!(plan["unassigned"][0]["stop"], "C");
        assert_eq!(plan["unassigned"][0]["reason"]["code"]["reason"], "unreachable");
        let svg = std::fs::read_to_string(&drawing).unwrap();
        assert!(svg.contains(">B &lt;&amp;&gt;</text>") && svg.matches("<polyline").count() == 1);
        let mut again: Value = serde_json::from_str(DAY).unwrap();
        again["now"] = json!("08:30");
        again["plan"] = plan["plan"].clone();
        again["events"] = json!([{ "event": "breakdown", "vehicle": 0 }]);
        std::fs::write(&path, again.to_string()).unwrap();
        let after = run(&path, None, 0.05).unwrap();
        assert_eq!(after["unassigned"].as_array().unwrap().len(), 3);
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(&drawing).unwrap();
    }

    #[test]
    fn a_map_has_north_up_and_east_right() {
        let at = |lat: f64, lon: f64| Point { lat: Some(lat), lon: Some(lon), x: None, y: None };
        let spots = plane(&[at(52.45, 13.38), at(52.52, 13.40), at(95.0, 1e300)]);
        assert!(spots[1].0 > spots[0].0 && spots[1].1 > spots[0].1, "{spots:?}");
        let wide = (spots[1].0 - spots[0].0) / (spots[1].1 - spots[0].1);
        assert!((wide - 0.02 * 0.609 / 0.07).abs() < 0.001, "{wide}");
        assert!(spots[2].0.is_nan());
    }

    #[test]
    fn what_does_not_read_is_named() {
        let path = written("bad", &DAY.replace("09:00", "9 o'clock"));
        assert!(
            run(&path, None, 0.05)
                .unwrap_err()
                .to_string()
                .contains("stop A, from: “9 o'clock” is not a time")
        );
        std::fs::write(&path, DAY.replace("\"minutes\"", "\"minute\"")).unwrap();
        assert!(run(&path, None, 0.05).unwrap_err().to_string().contains("line 3"));
        std::fs::remove_file(&path).unwrap();
    }
}
