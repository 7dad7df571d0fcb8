package suites

// RaceEnabled is whether this is a build with the race detector.
const RaceEnabled = raceEnabled
