export type { TmuxPane } from './argv.ts'
export { openTmux, type Tmux, type TmuxSession } from './tmux.ts'
