/** The options of `dispatch projects`. */
export const projectOptions = {
  name: { type: 'string', value: 'NAME', about: 'with add: its name (default: made from the folder)' },
  prefix: { type: 'string', value: 'WORD', about: 'with add: a short second name, such as api' },
  remote: { type: 'string', value: 'REMOTE', about: 'with add or set: where its work goes (default: origin)' },
  branch: { type: 'string', value: 'BRANCH', about: 'with add or set: onto which branch (default: the main one)' },
  'max-sessions': {
    type: 'string',
    value: 'COUNT',
    about: 'with add or set: so many at once, in place of MAX_SESSIONS_PROJECT',
  },
  land: {
    type: 'string',
    value: 'HOW',
    about: 'with add or set: its work lands by itself: squash, rebase, merge or off',
  },
  'land-as': { type: 'string', value: 'WHO', about: 'with --land: the author: me (default), worker or both' },
  gate: {
    type: 'string',
    multiple: true,
    value: 'COMMAND',
    about: 'with add or set: must be green on what lands, besides the gates of the branch; off: none',
  },
  issues: {
    type: 'string',
    value: 'WHICH',
    about: 'with add or set: issues on GitHub that start by themselves: label:NAME, milestone:NAME, off',
  },
  'pull-requests': {
    type: 'string',
    value: 'HOW',
    about: 'with add or set: follow settles red checks, comments and conflicts of its pull requests; off',
  },
  add: { type: 'boolean', about: 'with discover: register what is not, after asking once' },
  yes: { type: 'boolean', about: 'with discover --add: do not ask' },
  json: { type: 'boolean', about: 'print JSON instead of text' },
} as const
