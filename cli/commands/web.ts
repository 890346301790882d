import { defineCommand } from '../command.ts'

export const command = defineCommand({
  about: `
Serves the web page of all sessions on 127.0.0.1 (WEBUI_PORT, default 7777). The page is read-only. \`dispatch "task"\` starts
it in the background.
`,
  async run() {
    return (await import('../serve-page.ts')).servePage()
  },
})
