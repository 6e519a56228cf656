import type { StartOptions } from './flags.ts'
import type { StackFile } from './stack-file.ts'

/** What a newcomer may want to type next. */
export function welcome(stack: Omit<StackFile, 'processes'>, options: StartOptions): string {
  const { url } = stack
  const domain = options.tenant.handleDomains[0] ?? '.test'
  const [first, second] = stack.hosts
  return `
  ${first?.url}  tenant ${first?.tenant}: open it in a browser
  ${second?.url}  tenant ${second?.tenant}
  ${stack.mailUrl}  caught mail
  ${stack.plcUrl}  PLC directory
  ${options.dir}/stack.json  everything else: URLs, passwords, process ids
  ${options.dir}/log  logs

Try:

  curl ${url}/xrpc/com.atproto.server.describeServer
  curl ${url}/xrpc/com.atproto.server.createAccount -H 'content-type: application/json' \\
    -d '{"handle":"alice${domain}","email":"alice@example.test","password":"correct horse"}'
  curl ${url}/xrpc/com.atproto.repo.createRecord -H 'content-type: application/json' \\
    -H "authorization: Bearer $ACCESS_JWT" \\
    -d '{"repo":"alice${domain}","collection":"app.bsky.feed.post",
         "record":{"$type":"app.bsky.feed.post","text":"hello","createdAt":"'$(date -u +%FT%TZ)'"}}'

  node -e 'new WebSocket("${url.replace('http', 'ws')}/xrpc/com.atproto.sync.subscribeRepos?cursor=0")
    .onmessage = ({ data }) => console.log(data)'

Stop with Ctrl-C.
`
}
