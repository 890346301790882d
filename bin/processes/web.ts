import { main } from '#cli/main.ts'
import { servePage } from '#cli/serve-page.ts'

/** Serves the web page until a signal arrives. */
await main(servePage)
