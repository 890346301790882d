import { text } from 'node:stream/consumers'
import { getTokenFile, keepToken } from '#host/model'
import { UsageError } from '../command.ts'
import { isAtTerminal, readTypedLine } from '../input/confirm.ts'
import { print } from '../output/terminal.ts'

/** Ask for a token of `claude setup-token` and keep it. Without a terminal it comes from standard input. */
export async function keepTypedToken(home: string): Promise<void> {
  const token = isAtTerminal() ? await askToken() : (await text(process.stdin)).trim()
  if (!/^[\x21-\x7e]{20,500}$/.test(token))
    throw new UsageError('this is not a token: it has 20 to 500 characters without blanks', 'Nothing was kept.')
  keepToken(home, token)
  print(`Kept in ${getTokenFile(home)}, which only you can read. Sessions log in with it from now on.`)
  print('`dispatch uninstall` removes it.')
}

function askToken(): Promise<string> {
  print('`claude setup-token` prints a token that is valid for a year. Run it in another terminal.')
  return readTypedLine('Paste the token here: ')
}
