import { type PlcDirectory, startPlc } from '@rookery/local'

/** A PLC directory that can be away for a while. */
export class TestPlc implements AsyncDisposable {
  readonly #file: string
  #directory: PlcDirectory

  private constructor(file: string, directory: PlcDirectory) {
    this.#file = file
    this.#directory = directory
  }

  static async start(file: string): Promise<TestPlc> {
    return new TestPlc(file, await startPlc({ file }))
  }

  get url(): string {
    return this.#directory.url
  }

  /** Takes the directory away; it comes back, with all that it knew, when what this returns is disposed of. */
  async outage(): Promise<AsyncDisposable> {
    const { port } = this.#directory
    await this.#directory[Symbol.asyncDispose]()
    return {
      [Symbol.asyncDispose]: async () => {
        this.#directory = await startPlc({ file: this.#file, port })
      },
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#directory[Symbol.asyncDispose]()
  }
}
