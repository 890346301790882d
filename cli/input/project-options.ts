/** What may be changed later. */
const changeable = ['remote', 'branch', 'max-sessions', 'land', 'land-as', 'gate', 'issues', 'pull-requests'] as const

/** The options of `dispatch projects`. */
export const projectOptions = {
  name: { type: 'string', value: 'NAME', about: 'with add: its name (default: made from the folder)' },
  prefix: { type: 'string', value: 'WORD', about: 'with add: a short second name, such as api' },
  remote: {
    type: 'string',
    value: 'REMOTE',
    about: 'with add or set: the remote that its work is pushed to (default: origin)',
  },
  branch: {
    type: 'string',
    value: 'BRANCH',
    about: 'with add or set: the branch that its work lands on (default: main one)',
  },
  'max-sessions': {
    type: 'string',
    value: 'COUNT',
    about: 'with add or set: how many of its sessions may run at once',
  },
  land: {
    type: 'string',
    value: 'HOW',
    about: 'with add or set: land its work by itself: squash, rebase, merge or off',
  },
  'land-as': { type: 'string', value: 'WHO', about: 'with --land: the author: me (default), worker or both' },
  gate: {
    type: 'string',
    multiple: true,
    value: 'COMMAND',
    about: 'with add or set: a command that must be green before its work lands; off',
  },
  issues: {
    type: 'string',
    value: 'WHICH',
    about: 'with add or set: start GitHub issues by label:NAME or milestone:NAME; off',
  },
  'pull-requests': {
    type: 'string',
    value: 'HOW',
    about: 'with add or set: follow: settle red checks, comments, conflicts; or off',
  },
  add: { type: 'boolean', about: 'with discover: register those that are not registered, after asking once' },
  yes: { type: 'boolean', about: 'with discover --add: do not ask' },
  json: { type: 'boolean', about: 'print JSON instead of text' },
} as const

/** What each action of `dispatch projects` takes. */
export const projectForms = {
  options: {
    ls: ['json'],
    'add [DIR]': ['name', 'prefix', ...changeable, 'json'],
    'show <name>': ['json'],
    'set <name>': [...changeable, 'json'],
    'discover <DIR>': ['add', 'yes', 'json'],
    'rm <name>': ['json'],
  },
} as const
