export { openTmux, type Tmux, type TmuxSession } from './tmux.ts'
