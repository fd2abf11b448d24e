import {
  type Calibration,
  CONFIDENCE_KINDS,
  EMPTY_CALIBRATION,
  type Journal,
  recordJudgement,
  type RunHead,
} from '@tidegate/kernel'

/** What became of confidences, and over how many runs. */
export interface CalibrationView {
  readonly runs: number
  readonly calibration: Calibration
}

/** How many heads are looked at in one go, and in all: newest first. */
const PAGE = 500
const LISTED = 100_000

/**
 * Holds what runs were sure of against what became of them. A run that was seen to be completed was right in all that it was sure of; one
 * that failed or was taken back was wrong. What a person ended or took over says nothing.
 */
export async function calibrate(
  { journal }: { readonly journal: Pick<Journal, 'runs'> },
  workflow: string | undefined,
): Promise<CalibrationView> {
  let calibration = EMPTY_CALIBRATION
  let runs = 0
  const query = { states: ['completed', 'failed', 'undone'], ...(workflow === undefined ? {} : { workflow }) }
  for (let before: string | undefined, seen = 0; seen < LISTED; ) {
    const page = await journal.runs({ ...query, limit: PAGE, ...(before === undefined ? {} : { before }) })
    for (const head of page) {
      if (head.undoes !== null || head.confidences === undefined) continue
      calibration = judge(calibration, head)
      runs += 1
    }
    seen += page.length
    before = page.at(-1)?.run
    if (page.length < PAGE) break
  }
  return { runs, calibration }
}

function judge(calibration: Calibration, { confidences, state }: RunHead): Calibration {
  return CONFIDENCE_KINDS.reduce((all, kind) => {
    const confidence = confidences?.[kind]
    return confidence === undefined ? all : recordJudgement(all, { kind, confidence, right: state === 'completed' })
  }, calibration)
}
