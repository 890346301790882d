import { runDispatch } from '#cli/dispatch.ts'
import { main } from '#cli/main.ts'

await main(() => runDispatch(process.argv.slice(2)))
