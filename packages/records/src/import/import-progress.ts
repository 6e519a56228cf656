import { importProgressMs } from './limits.ts'

/** How far an import has come: of the CAR, then of the tree. */
export type ImportProgress = {
  /** staging reads the CAR, walking verifies the tree, replacing stores its records under the repo's lock. */
  phase: 'staging' | 'walking' | 'replacing'
  /** Blocks of the CAR that were read, and their bytes. */
  blocks: number
  bytes: number
  /** Records of the tree that were found. */
  records: number
}

/** Counts what an import does, and tells of it at most once a second and with each phase. */
export class ProgressReporter {
  readonly #report: (progress: ImportProgress) => Promise<void>
  readonly #progress: ImportProgress = { phase: 'staging', blocks: 0, bytes: 0, records: 0 }
  #reportedMs = performance.now()

  constructor(report: (progress: ImportProgress) => Promise<void>) {
    this.#report = report
  }

  addBlock(bytes: number): void {
    this.#progress.blocks++
    this.#progress.bytes += bytes
  }

  addRecord(): void {
    this.#progress.records++
  }

  /** Begins a phase; a walk counts its records from none. */
  async begin(phase: ImportProgress['phase']): Promise<void> {
    this.#progress.phase = phase
    if (phase === 'walking') this.#progress.records = 0
    await this.#tell()
  }

  /** Tells if that is due. */
  async tick(): Promise<void> {
    if (performance.now() - this.#reportedMs >= importProgressMs) await this.#tell()
  }

  async #tell(): Promise<void> {
    this.#reportedMs = performance.now()
    await this.#report({ ...this.#progress })
  }
}
