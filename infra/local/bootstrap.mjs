/**
 * The first thing that `npm start`, `npm test` and `npm run bench` run: plain JavaScript for the Node.js that the machine has (20 or
 * newer), with no dependency. It brings the Node.js and pnpm that the project needs into .local/toolchain, installs
 * the workspace when its manifests changed, and hands over to src/main.ts under that Node.js.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const toolchain = join(root, '.local', 'toolchain')
const programs = join(toolchain, 'node_modules', '.bin')

/** Type stripping without a flag or a warning. */
const nodeVersionMin = [24, 12, 0]
const nodeVersion = '24'
const pnpmVersion = '12.21.0'

class StepFailed extends Error {}

function say(text) {
  process.stderr.write(`[set-up] ${text}\n`)
}

function versionOf(packageName) {
  try {
    return JSON.parse(readFileSync(join(toolchain, 'node_modules', packageName, 'package.json'), 'utf8'))
      .version
  } catch {
    return undefined
  }
}

function isAtLeast(version, wanted) {
  const parts = version.replace(/^v/, '').split('.').map(Number)
  for (let i = 0; i < wanted.length; i++) {
    if (parts[i] !== wanted[i]) return parts[i] > wanted[i]
  }
  return true
}

/** Runs a step to its end with its output shown; a failure says what to do. */
function run(step, command, args, options) {
  const { advice, ...spawnOptions } = options
  const ran = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...spawnOptions })
  if (ran.status === 0) return
  const reason = ran.error ? ran.error.message : `exit code ${ran.status ?? ran.signal}`
  throw new StepFailed(`${step} failed (${reason}).\n         ${advice}`)
}

function capture(command, args, env) {
  const ran = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' })
  return ran.status === 0 ? ran.stdout.trim() : undefined
}

/**
 * The environment for everything after this: `npm run` describes itself and its settings in `npm_…` variables, which
 * pnpm and nested npm calls would take for their own. What concerns the network stays. Compiled code is kept: processes
 * start in two thirds of the time.
 */
function cleanEnvironment(path) {
  const network = /^npm_config_(.*registry|.*proxy|cafile|ca|strict_ssl|userconfig|globalconfig|cache)$/i
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) || network.test(name) || name.startsWith('npm_config_@'),
  )
  return {
    NODE_COMPILE_CACHE: join(root, '.local', 'compile-cache'),
    ...Object.fromEntries(entries),
    PATH: `${path.join(':')}:${process.env.PATH ?? ''}`,
  }
}

/** Returns the Node.js and pnpm to use: the machine's where they will do, else the toolchain's. */
function ensureToolchain() {
  const own = { node: join(programs, 'node'), pnpm: join(programs, 'pnpm') }
  const isNodeFit = isAtLeast(process.version, nodeVersionMin)
  const isPnpmFit =
    versionOf('pnpm') !== pnpmVersion && capture('pnpm', ['--version'], cleanEnvironment([])) === pnpmVersion
  const missing = []
  if (!isNodeFit && !(existsSync(own.node) && isAtLeast(versionOf('node') ?? '0', nodeVersionMin))) {
    missing.push(`node@${nodeVersion}`)
  }
  if (!isPnpmFit && !(existsSync(own.pnpm) && versionOf('pnpm') === pnpmVersion)) {
    missing.push(`pnpm@${pnpmVersion}`)
  }
  if (missing.length > 0) installTools(missing)
  if (!isNodeFit) checkNode(own.node)
  return { node: isNodeFit ? process.execPath : own.node, pnpm: isPnpmFit ? 'pnpm' : own.pnpm }
}

function checkNode(program) {
  const version = capture(program, ['--version'], cleanEnvironment([]))
  if (version !== undefined && isAtLeast(version, nodeVersionMin)) return
  throw new StepFailed(
    `the Node.js from npm does not run on this machine (${program}).\n         ` +
      `Install Node.js ${nodeVersionMin.join('.')} or newer yourself and try again.`,
  )
}

function installTools(specifiers) {
  say(`installing ${specifiers.join(' and ')} into .local/toolchain`)
  mkdirSync(toolchain, { recursive: true })
  const manifest = join(toolchain, 'package.json')
  if (!existsSync(manifest)) writeFileSync(manifest, '{"private":true}\n')
  const args = ['install', '--prefix', toolchain, '--no-audit', '--no-fund', '--loglevel=error', '--save']
  // The packages place their program in an install script, which a user's configuration may have turned off.
  run('installing the toolchain with npm', 'npm', [...args, '--ignore-scripts=false', ...specifiers], {
    cwd: toolchain,
    env: cleanEnvironment([]),
    advice:
      'Check that npm is installed (`npm --version`) and reaches its registry (`npm ping`), then run the same command again.',
  })
}

/** Installs the workspace unless nothing that decides its contents has changed since the last time. */
function ensureWorkspace(pnpm, environment) {
  const stampFile = join(root, 'node_modules', '.rookery-installed')
  const stamp = workspaceStamp()
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  say('installing the workspace with pnpm')
  run('pnpm install', pnpm, ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'], {
    env: { ...environment, CI: 'true' },
    advice:
      'Read the lines above. A registry that cannot be reached: check the network and run the same command again. ' +
      'A lockfile that does not fit: `pnpm install` brings it up to date.',
  })
  writeFileSync(stampFile, stamp)
}

function workspaceStamp() {
  const files = [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'infra/local/package.json',
    'test/package.json',
  ]
  for (const folder of ['apps', 'packages']) {
    for (const name of readdirSync(join(root, folder)).sort()) files.push(join(folder, name, 'package.json'))
  }
  const hash = createHash('sha256')
  for (const file of files) {
    if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)))
  }
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`
}

/** Runs the command's program as a child that ends with this process, and ends as it ends. */
function handOver(node, args, environment) {
  const program =
    args[0] === 'bench' ? ['test/load/main.ts', ...args.slice(1)] : ['infra/local/src/main.ts', ...args]
  const child = spawn(node, [join(root, program[0]), ...program.slice(1)], {
    env: environment,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'])
    process.on(signal, () => child.kill(signal))
  // Started by npm, this process has no purpose without it; npm may be killed without a word.
  const { ppid } = process
  const watch = setInterval(() => process.ppid !== ppid && child.kill('SIGTERM'), 500)
  if (process.env.npm_lifecycle_event === undefined) clearInterval(watch)
  child.on('error', (error) => fail(new StepFailed(`${node} could not be started: ${error.message}`)))
  child.on('exit', (code, signal) => {
    clearInterval(watch)
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
    if (signal !== null && signal !== 'SIGINT') say(`ended by ${signal}`)
  })
}

function fail(error) {
  if (!(error instanceof StepFailed)) throw error
  say(error.message)
  process.exitCode = 1
}

try {
  const args = process.argv.slice(2)
  if (!isAtLeast(process.version, [20, 0, 0])) {
    throw new StepFailed(`Node.js 20 or newer is needed to set up; this is ${process.version}.`)
  }
  if (process.platform === 'win32') throw new StepFailed('Windows is not supported: use WSL.')
  const { node, pnpm } = ensureToolchain()
  const environment = cleanEnvironment([join(root, 'node_modules', '.bin'), dirname(node), programs])
  if (!args.includes('--help') || args[0] === 'bench') ensureWorkspace(pnpm, environment)
  handOver(node, args, environment)
} catch (error) {
  fail(error)
}
