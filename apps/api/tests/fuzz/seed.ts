/** What the inputs of this run are made from: set FUZZ_SEED to see a failure again. It is in the tests' names. */
export const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)

/** Inputs of each method; FUZZ_RUNS=1000 for a thorough run. */
export const runsOfEach = Number(process.env['FUZZ_RUNS'] ?? 40)
