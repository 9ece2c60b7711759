// The story's screens by their names.

const STORY_SCREENS = {
  draw: DrawScreen,
  patches: PatchesScreen,
  numbers: NumbersScreen,
  extra_row: ExtraRowScreen,
  position: PositionScreen,
  attention: AttentionScreen,
  heads: HeadsScreen,
  blocks: BlocksScreen,
  answer: AnswerScreen,
  cover: CoverScreen,
  loss: LossScreen,
  step: StepScreen,
  learn: LearnScreen,
  where: WhereScreen,
  truth: TruthScreen,
  alike: AlikeScreen,
  map: MapScreen,
  end: EndScreen,
};
