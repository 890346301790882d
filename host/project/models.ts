import { z } from 'zod'

const modelName = z
  .string('must be the name of a model')
  .regex(/^[A-Za-z0-9][\w.:@/[\]-]{0,149}$/, 'must be the name of a model, such as opus')

/** Several are a ladder: one rung up for each FAIL. */
const modelLadder = z
  .string('must be the name of a model')
  .regex(
    /^[A-Za-z0-9][\w.:@/[\]-]{0,149}( *, *[A-Za-z0-9][\w.:@/[\]-]{0,149}){0,7}$/,
    'must be a model, or several such as sonnet,opus',
  )

/** The models of a session by role. A role that is left out has the model of the settings. */
const ModelChoice = z.strictObject(
  { orchestrator: modelName.optional(), code: modelLadder.optional(), rw: modelName.optional() },
  'must have models by role, such as { "orchestrator": "opus", "code": "opus", "rw": "sonnet" }',
)

export type ModelChoice = z.infer<typeof ModelChoice>

/** Which models work of a priority, or with a tag, gets: `{ "critical": { "code": "opus" }, "docs": { "code": "haiku" } }`. */
export const Models = z
  .record(z.string().regex(/^[A-Za-z0-9][\w.-]{0,79}$/, 'must be a priority or a tag'), ModelChoice)
  .refine(models => Object.keys(models).length <= 50, 'may have 50 entries')
  .default({})

/** The models for work with these tags and this priority: for each role that of the first tag that has one, else the priority's. Pure. */
export function chooseModels(
  models: z.infer<typeof Models>,
  { tags, priority }: { tags: string[]; priority: string },
): ModelChoice {
  const entries = [...tags, priority].map(name => (Object.hasOwn(models, name) ? models[name] : undefined))
  const choose = (role: keyof ModelChoice) => entries.find(entry => entry?.[role] !== undefined)?.[role]
  const chosen = { orchestrator: choose('orchestrator'), code: choose('code'), rw: choose('rw') }
  return Object.fromEntries(Object.entries(chosen).filter(([, model]) => model !== undefined))
}
