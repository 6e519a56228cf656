import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** How each secret of a cluster is made; every byte string below the curve's order is a secp256k1 key. */
const makers: Record<string, () => string> = {
  ROOKERY_JWT_SECRET: () => randomBytes(32).toString('base64url'),
  ROOKERY_KEY_ENCRYPTION_KEY: () => randomBytes(32).toString('hex'),
  ROOKERY_PLC_ROTATION_KEY: () => `7f${randomBytes(31).toString('hex')}`,
  ROOKERY_ADMIN_PASSWORD: () => randomBytes(12).toString('base64url'),
}

/**
 * The cluster's secrets: from the environment when it has them, else made once and kept in `<dir>/secrets.json`.
 * Without them the accounts in `dir` are lost, so nothing ever replaces one that is there.
 */
export function clusterSecrets(dir: string, env: NodeJS.ProcessEnv): Record<string, string> {
  const file = join(dir, 'secrets.json')
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {}
  const missing = Object.keys(makers).filter((name) => kept[name] === undefined)
  for (const name of missing) kept[name] = makers[name]?.() ?? ''
  if (missing.length > 0) {
    writeFileSync(`${file}.new`, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  const given = Object.entries(env).filter(
    ([name, value]) => name in makers && value !== undefined && value !== '',
  )
  return { ...kept, ...(Object.fromEntries(given) as Record<string, string>) }
}
