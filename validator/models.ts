/** `judgement`: a packet. `greeting`: one word, which should cost next to nothing. */
export type Effort = 'judgement' | 'greeting'

/** What differs from model to model in one request. */
export interface ModelParameters {
  maxOutputTokens: number
  /** A level, or a number of tokens; -1 lets the model decide. Models that do not think have neither. */
  thinking?: 'HIGH' | 'LOW' | number
  temperature?: number
  candidateCount?: number
}

/** The models of `JUDGE_MODEL`, in the order in which they are asked: `a` or `a,b`. Pure. */
export function listJudgeModels(setting: string): string[] {
  return [...new Set(setting.split(',').map(name => name.trim()))]
}

/**
 * The parameters of one request that depend on the model. From generation 3 on, Google asks not to set a temperature, and
 * thinking has levels; `minimal` is not known to every model. A name without a number counts as newer. `isLonger`: the
 * answer before this was cut off. Pure.
 */
export function chooseParameters(model: string, effort: Effort, isLonger: boolean): ModelParameters {
  const version = Number(/\bgemini-(\d+(?:\.\d+)?)/.exec(model)?.[1] ?? Number.POSITIVE_INFINITY)
  const maxOutputTokens = outputTokens[effort][isLonger ? 1 : 0]
  if (version >= 3) return { maxOutputTokens, thinking: effort === 'judgement' ? 'HIGH' : 'LOW' }
  const fixed = { temperature: 0, candidateCount: 1 }
  if (version < 2.5) return { ...fixed, maxOutputTokens: isLonger ? OLD_MAX_OUTPUT_TOKENS : OLD_MAX_OUTPUT_TOKENS / 2 }
  return { ...fixed, maxOutputTokens, thinking: effort === 'judgement' ? -1 : LITTLE_THINKING_TOKENS }
}

/** Did the vendor answer with the model that was asked, or with a dated version of it? Pure. */
export function isSameModel(asked: string, answered: string): boolean {
  const [wanted = '', name = ''] = [asked, answered].map(each => each.replace(/^.*\//, ''))
  return name === wanted || (name.startsWith(`${wanted}-`) && versionSuffix.test(name.slice(wanted.length)))
}

// --- internal ---

/** Thinking counts as output. The second number is what the newest models can give at most. */
const outputTokens: Record<Effort, [first: number, longer: number]> = {
  judgement: [32_768, 65_536],
  greeting: [2048, 8192],
}

/** The most that models before 2.5 can give. */
const OLD_MAX_OUTPUT_TOKENS = 8192
/** The least that every model of 2.5 takes. */
const LITTLE_THINKING_TOKENS = 512

/** `-001`, `-09-2026`, `-20260902`, `-preview-09-2026`. */
const versionSuffix = /^(-preview|-exp)?(-\d+)*$/
