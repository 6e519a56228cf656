import type { Redis } from '@rookery/redis'

/** Values that are JSON, under Redis keys for all processes. While Redis is away there are none. */
export class RedisCache<Value extends object> {
  readonly #redis: Pick<Redis, 'get' | 'set' | 'del'>
  readonly #keyOf: (key: string) => string
  readonly #keepMs: number

  constructor(
    redis: Pick<Redis, 'get' | 'set' | 'del'>,
    options: { keyOf: (key: string) => string; keepMs: number },
  ) {
    this.#redis = redis
    this.#keyOf = options.keyOf
    this.#keepMs = options.keepMs
  }

  async get(key: string): Promise<Value | undefined> {
    const json = await this.#redis.get(this.#keyOf(key)).catch(() => null)
    return json === null ? undefined : (JSON.parse(json) as Value)
  }

  async set(key: string, value: Value): Promise<void> {
    await this.#redis.set(this.#keyOf(key), JSON.stringify(value), 'PX', this.#keepMs).catch(() => undefined)
  }

  async del(key: string): Promise<void> {
    await this.#redis.del(this.#keyOf(key)).catch(() => undefined)
  }
}
