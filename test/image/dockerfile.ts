/** Enough of Docker to run the steps of our Dockerfile without an engine. */
import { execFile } from 'node:child_process'
import { cp, readFile } from 'node:fs/promises'
import { join, matchesGlob, relative, resolve } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export const projectDir = resolve(import.meta.dirname, '../..')

/** One instruction, such as `{ name: 'RUN', text: 'pnpm install' }`, and the stage it is in. */
export type Instruction = { name: string; text: string; stage: number }

/** The instructions of `infra/docker/Dockerfile`. */
export async function readDockerfile(): Promise<Instruction[]> {
  const text = await readFile(join(projectDir, 'infra/docker/Dockerfile'), 'utf8')
  let stage = -1
  return text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', ...rest] = line.split(' ')
      if (name === 'FROM') stage += 1
      return { name, text: rest.join(' '), stage }
    })
}

/** Runs COPY and RUN of the first stage in `dir`, which stands for the folder that WORKDIR names. */
export async function runInstallStage(dir: string, isProvided: (command: string) => boolean): Promise<void> {
  const isIgnored = await readDockerignore()
  for (const { name, text } of (await readDockerfile()).filter(({ stage }) => stage === 0)) {
    if (name === 'RUN' && !isProvided(text)) await execute('sh', ['-ec', text], { cwd: dir })
    if (name === 'COPY') await copy(text.split(' '), dir, isIgnored)
  }
}

async function copy(names: string[], dir: string, isIgnored: (path: string) => boolean): Promise<void> {
  const target = names.pop() ?? ''
  for (const name of names) {
    // A file goes into the target, a folder's contents do.
    const to = target === './' ? join(dir, name) : join(dir, target)
    await cp(join(projectDir, name), to, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !isIgnored(relative(projectDir, source)),
    })
  }
}

/** The last pattern that matches a path or a folder above it decides. */
async function readDockerignore(): Promise<(path: string) => boolean> {
  const text = await readFile(join(projectDir, 'infra/docker/Dockerfile.dockerignore'), 'utf8')
  const patterns = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return (path) => {
    const parts = path.split('/')
    const paths = parts.map((_, i) => parts.slice(0, i + 1).join('/'))
    const last = patterns.findLast((pattern) => {
      const glob = pattern.replace(/^!/, '')
      return paths.some((candidate) => matchesGlob(candidate, glob))
    })
    return last?.startsWith('!') === false
  }
}
