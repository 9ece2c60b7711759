"""Made photographs of test digits: paper, desks, frames, shadows, boards, and what spoils them.

Each kind is a function ``(digit, random) -> Image``; ``digit`` is (28, 28) uint8, white on black.
"""

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image

Scene = Callable[[np.ndarray, Generator], Image.Image]
INKS = ((25, 25, 28), (30, 40, 110), (120, 25, 30), (20, 85, 45), (60, 60, 64), (70, 35, 100))
PAPERS = ((238, 236, 230), (250, 250, 250), (244, 235, 205), (222, 226, 230), (250, 240, 130))
DESKS = ((95, 65, 45), (60, 60, 66), (30, 40, 35), (150, 110, 70), (120, 125, 130), (20, 20, 22))


def one_of(random: Generator, options: tuple) -> np.ndarray:
    return np.array(options[random.integers(len(options))], float)


def mask_of(
    digit: np.ndarray, side: int, random: Generator, angle: float = 12, thin: float = 0
) -> np.ndarray:
    """Return the digit as a pen draws it, (side, side) from 0 to 1.

    Args:
        thin: share of ``side`` by which each stroke loses width.
    """
    big = cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    if thin:
        width = max(1, round(thin * side))
        big = cv2.erode(big, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), random.uniform(-angle, angle), 1)
    big = cv2.warpAffine(big, turn, (side, side))
    return np.clip((big - 0.35) / 0.3, 0, 1)


class Photo:
    """A picture in the making, (height, width, 3) from 0 to 255."""

    def __init__(self, random: Generator, paper: np.ndarray | tuple, long: int = 0) -> None:
        self.random = random
        long = long or int(random.integers(520, 1100))
        short = int(long * random.uniform(0.6, 1))
        self.shape = (long, short) if random.random() < 0.5 else (short, long)
        self.values = np.ones((*self.shape, 3), np.float32) * np.array(paper, np.float32)

    @property
    def short(self) -> int:
        return min(self.shape)

    def paint(self, mask: np.ndarray, colour: np.ndarray | tuple) -> None:
        mask = mask[..., None]
        self.values = self.values * (1 - mask) + np.array(colour, np.float32) * mask

    def write(
        self,
        digit: np.ndarray,
        ink: np.ndarray | tuple,
        share: tuple[float, float] = (0.25, 0.6),
        within: tuple[float, float] = (0.1, 0.9),
        thin: float = 0,
    ) -> tuple[int, int, int]:
        """Write the digit somewhere; return its top, left and side in pixels.

        Args:
            share: of the shorter side that the digit's square takes, at least and at most.
            within: the part of both sides where it may stand.
        """
        side = int(self.random.uniform(*share) * self.short)
        spots = []
        for length in self.shape:
            low, high = within[0] * length, within[1] * length - side
            spots.append(int(self.random.uniform(low, high) if high > low else (low + high) / 2))
        top, left = spots
        mask = np.zeros(self.shape, np.float32)
        mask[top : top + side, left : left + side] = mask_of(digit, side, self.random, thin=thin)
        self.paint(mask, ink)
        return top, left, side

    def line(self, start: tuple, end: tuple, width: float, colour: np.ndarray | tuple) -> None:
        mask = np.zeros(self.shape, np.uint8)
        points = [tuple(round(16 * x) for x in point) for point in (start, end)]
        cv2.line(mask, *points, 255, max(1, round(width)), cv2.LINE_AA, 4)
        self.paint(mask.astype(np.float32) / 255, colour)

    def rule(self, step: float, width: float, colour: tuple, angle: float, first: float) -> None:
        """Draw parallel lines over the whole picture, ``angle`` degrees from the horizontal."""
        centre, reach = np.array(self.shape[::-1]) / 2, sum(self.shape)
        along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        across = np.array([-along[1], along[0]])
        for at in np.arange(-reach / 2 + first, reach / 2, step):
            middle = centre + at * across
            self.line(middle - reach * along, middle + reach * along, width, colour)

    def lay_on(self, desk: np.ndarray, margin: float, angle: float, tilt: float) -> None:
        """Lay what is there so far, as a sheet, on a desk (height, width, 3) of any size."""
        height, width = self.shape
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        scale = 1 - 2 * margin
        centre = np.array([width, height]) / 2
        turn = np.radians(angle)
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        moved = (corners - centre) * scale @ matrix.T + centre
        moved += self.random.uniform(-tilt, tilt, (4, 2)) * self.short
        warp = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
        sheet = cv2.warpPerspective(self.values, warp, (width, height), flags=cv2.INTER_AREA)
        cover = cv2.warpPerspective(np.ones(self.shape, np.float32), warp, (width, height))
        # a sheet throws a little shadow on the desk
        shade = cv2.GaussianBlur(np.roll(cover, (4, 3), (0, 1)), (0, 0), 4)[..., None]
        desk = cv2.resize(desk, (width, height)) * (1 - 0.3 * shade)
        self.values = (desk * (1 - cover[..., None]) + sheet * cover[..., None]).astype(np.float32)

    def shadow(self, factor: float, soft: float, through: tuple[float, float] = (0.3, 0.7)) -> None:
        """Darken one side of a straight edge."""
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]].astype(np.float32)
        turn = self.random.uniform(0, 2 * np.pi)
        spot = self.random.uniform(*through, 2) * self.shape
        far = (rows - spot[0]) * np.sin(turn) + (columns - spot[1]) * np.cos(turn)
        self.values *= (1 - (1 - factor) / (1 + np.exp(-np.clip(far / soft, -30, 30))))[..., None]

    def light(self, depth: float) -> None:
        """Let brightness fall off evenly to one side."""
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]].astype(np.float32)
        turn = self.random.uniform(0, 2 * np.pi)
        far = rows / self.shape[0] * np.sin(turn) + columns / self.shape[1] * np.cos(turn)
        far = (far - far.min()) / (far.max() - far.min())
        self.values *= (1 - depth * far)[..., None]

    def spot(self, inside: float, outside: float, width: float) -> None:
        """Light the middle, as a phone's flash does, and let the corners fall dark."""
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]].astype(np.float32)
        middle = self.random.uniform(0.3, 0.7, 2) * self.shape
        far = ((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2) / (width * self.short) ** 2
        self.values *= (outside + (inside - outside) * np.exp(-far))[..., None]

    def taken(self, noise: float = 0, blur: float = -1, quality: int = 0) -> Image.Image:
        """Return the photograph: a little blurred, noisy, and saved as a JPEG."""
        blur = self.random.uniform(0, 1.5) if blur < 0 else blur
        values = cv2.GaussianBlur(self.values, (0, 0), blur) if blur > 0.2 else self.values
        noise = noise or self.random.uniform(1, 7)
        values = values + self.random.normal(0, noise, values.shape)
        content = BytesIO()
        image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
        image.save(content, "JPEG", quality=quality or int(self.random.integers(60, 95)))
        return Image.open(content)


def wood(random: Generator, colour: np.ndarray) -> np.ndarray:
    """Return a desk with grain along one side, or one that is smooth."""
    desk = np.ones((400, 400, 3), np.float32) * colour.astype(np.float32)
    if random.random() < 0.6:
        grain = cv2.GaussianBlur(random.normal(0, 1, (400, 400)).astype(np.float32), (0, 0), 1.5)
        grain = cv2.blur(grain, (120, 1))
        desk *= 1 + random.uniform(0.05, 0.25) * (grain / grain.std())[..., None].clip(-2, 2) / 2
        if random.random() < 0.5:
            desk = desk.transpose(1, 0, 2)
    return np.ascontiguousarray(desk + random.normal(0, 4, desk.shape)).astype(np.float32)


def plain(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS))
    photo.write(digit, one_of(random, INKS), (0.15, 0.8))
    photo.light(random.uniform(0, 0.4))
    return photo.taken()


def sheet(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS[:4]))
    photo.write(digit, one_of(random, INKS), (0.2, 0.7), (0.08, 0.92))
    photo.lay_on(
        wood(random, one_of(random, DESKS)),
        random.uniform(0.04, 0.25),
        random.uniform(-15, 15),
        random.uniform(0, 0.03),
    )
    photo.light(random.uniform(0, 0.3))
    return photo.taken()


def sticky_note(digit: np.ndarray, random: Generator) -> Image.Image:
    notes = ((250, 235, 110), (255, 170, 190), (160, 225, 150), (150, 205, 240))
    photo = Photo(random, one_of(random, notes))
    photo.write(digit, one_of(random, INKS), (0.3, 0.75), (0.1, 0.9))
    desks = (*DESKS, (225, 220, 210))
    photo.lay_on(wood(random, one_of(random, desks)), random.uniform(0.1, 0.32),
                 random.uniform(-15, 15), 0.02)  # fmt: skip
    return photo.taken()


def sheet_at_the_side(digit: np.ndarray, random: Generator) -> Image.Image:
    """A sheet of which the camera sees one or two edges."""
    photo = Photo(random, one_of(random, PAPERS[:4]))
    photo.write(digit, one_of(random, INKS), (0.2, 0.5), (0.25, 0.75))
    desk = wood(random, one_of(random, DESKS))
    height, width = photo.shape
    desk = cv2.resize(desk, (width, height))
    for axis in (0, 1) if random.random() < 0.5 else (random.integers(2),):
        cut = int(random.uniform(0.05, 0.22) * photo.shape[axis])
        slope = random.uniform(-0.06, 0.06)
        along = np.arange(photo.shape[1 - axis])
        edge = cut + slope * along
        at = np.arange(photo.shape[axis])
        is_desk = at[:, None] < edge[None]
        if axis:
            is_desk = is_desk.T
        if random.random() < 0.5:
            is_desk = is_desk[::-1, ::-1]
        photo.values[is_desk] = desk[is_desk]
    return photo.taken()


def frame(digit: np.ndarray, random: Generator) -> Image.Image:
    """A drawn frame around the digit, closed or of four strokes, or a thick one at the border."""
    photo = Photo(random, one_of(random, PAPERS))
    ink = one_of(random, INKS)
    top, left, side = photo.write(digit, ink, (0.25, 0.5), (0.2, 0.8))
    colour = ink if random.random() < 0.6 else one_of(random, INKS)
    width = random.uniform(0.006, 0.03) * photo.short
    if random.random() < 0.25:  # at the border
        width *= 2
        gap = random.uniform(0, 0.06) * photo.short
        box = gap, gap, photo.shape[0] - gap, photo.shape[1] - gap
    else:
        gap = random.uniform(0.02, 0.2, 4) * photo.short
        box = top - gap[0], left - gap[1], top + side + gap[2], left + side + gap[3]
    up, near, down, far = box
    over = random.uniform(-0.02, 0.03) * photo.short  # strokes that miss or cross each other
    if random.random() < 0.5:
        over = 0
    for start, end in (
        ((near - over, up), (far + over, up)),
        ((far, up - over), (far, down + over)),
        ((far + over, down), (near - over, down)),
        ((near, down + over), (near, up - over)),
    ):
        shake = random.uniform(-0.01, 0.01, 4) * photo.short * (over != 0)
        photo.line((start[0] + shake[0], start[1] + shake[1]),
                   (end[0] + shake[2], end[1] + shake[3]), width, colour)  # fmt: skip
    return photo.taken()


def ring(digit: np.ndarray, random: Generator) -> Image.Image:
    """The digit has a circle around it."""
    photo = Photo(random, one_of(random, PAPERS))
    ink = one_of(random, INKS)
    top, left, side = photo.write(digit, ink, (0.25, 0.45), (0.25, 0.75))
    mask = np.zeros(photo.shape, np.uint8)
    radii = (random.uniform(0.62, 0.75, 2) * side).astype(int)
    middle = (left + side // 2, top + side // 2)
    width = max(2, int(0.012 * photo.short))
    cv2.ellipse(mask, middle, radii.tolist(), random.uniform(0, 90), 0, 360, 255, width,
                cv2.LINE_AA)  # fmt: skip
    photo.paint(mask.astype(np.float32) / 255, ink)
    return photo.taken()


def hard_shadow(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS))
    photo.write(digit, one_of(random, INKS), (0.2, 0.6))
    photo.shadow(random.uniform(0.3, 0.75), random.uniform(0.4, 8))
    if random.random() < 0.4:
        photo.shadow(random.uniform(0.5, 0.8), random.uniform(0.4, 8))
    return photo.taken()


def ruled(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS[:4]))
    lines = ((150, 185, 225), (120, 150, 200), (170, 170, 175), (90, 110, 160))
    step = random.uniform(0.05, 0.16) * photo.short
    photo.rule(step, random.uniform(1, 3), one_of(random, lines), random.uniform(-8, 8),
               random.uniform(0, step))  # fmt: skip
    if random.random() < 0.4:
        at = random.uniform(0.08, 0.2) * photo.shape[1]
        photo.line((at, 0), (at, photo.shape[0]), 2, (205, 90, 90))
    photo.write(digit, one_of(random, INKS), (0.2, 0.6))
    return photo.taken()


def dark_lines(digit: np.ndarray, random: Generator) -> Image.Image:
    """Ruled paper whose lines are as dark as the ink."""
    photo = Photo(random, one_of(random, PAPERS[:4]))
    ink = one_of(random, INKS)
    step = random.uniform(0.08, 0.2) * photo.short
    photo.rule(step, random.uniform(1.5, 3.5), ink, random.uniform(-5, 5), random.uniform(0, step))
    photo.write(digit, ink, (0.25, 0.6))
    return photo.taken()


def graph(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS[:4]))
    colour = one_of(random, ((170, 200, 235), (150, 190, 170), (120, 150, 200), (180, 180, 185)))
    step, width = random.uniform(0.03, 0.1) * photo.short, random.uniform(1, 2.5)
    angle = random.uniform(-6, 6)
    for turn in (0, 90):
        photo.rule(step, width, colour, angle + turn, random.uniform(0, step))
    photo.write(digit, one_of(random, INKS), (0.2, 0.6))
    return photo.taken()


def whiteboard(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, (228, 232, 234))
    inks = ((30, 30, 35), (30, 70, 190), (200, 40, 45), (30, 140, 75))
    for _ in range(random.integers(0, 4)):  # smears of what was wiped off
        top, left = random.uniform(0, 0.8, 2) * photo.shape
        mask = np.zeros(photo.shape, np.float32)
        mask[int(top) : int(top + 0.2 * photo.short), int(left) : int(left + 0.3 * photo.short)] = (
            random.uniform(0.03, 0.1)
        )
        photo.paint(cv2.GaussianBlur(mask, (0, 0), 0.03 * photo.short), one_of(random, inks))
    photo.write(digit, one_of(random, inks), (0.2, 0.6), (0.12, 0.88))
    glare = np.zeros(photo.shape, np.float32)
    spot = [int(x) for x in random.uniform(0.1, 0.9, 2) * photo.shape[::-1]]
    cv2.circle(glare, spot, int(random.uniform(0.05, 0.15) * photo.short), 1, -1)
    photo.paint(0.8 * cv2.GaussianBlur(glare, (0, 0), 0.05 * photo.short), (255, 255, 255))
    if random.random() < 0.6:  # its frame
        width = int(random.uniform(0.02, 0.07) * photo.short)
        for side in range(4):
            if random.random() < 0.7:
                np.rot90(photo.values, side)[:width] = random.uniform(60, 180)
    photo.light(random.uniform(0, 0.35))
    return photo.taken()


def chalk(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, ((40, 60, 50), (35, 38, 42), (55, 85, 65), (25, 40, 35))))
    dust = random.normal(0, 1, (photo.shape[0] // 20 + 2, photo.shape[1] // 20 + 2))
    dust = cv2.resize(dust.astype(np.float32), photo.shape[::-1], interpolation=cv2.INTER_CUBIC)
    photo.values += random.uniform(3, 12) * dust[..., None]
    colour = one_of(random, ((230, 230, 225), (235, 225, 150), (230, 170, 180), (200, 215, 220)))
    before = photo.values.copy()
    photo.write(digit, colour, (0.2, 0.6))
    grit = cv2.GaussianBlur(random.normal(0, 1, photo.shape).astype(np.float32), (0, 0), 1)
    grit = np.clip(0.85 + random.uniform(0.2, 0.45) * grit / grit.std(), 0.1, 1)[..., None]
    photo.values = (before + (photo.values - before) * grit).astype(np.float32)
    if random.random() < 0.4:  # the wooden frame of the board
        width = int(random.uniform(0.02, 0.07) * photo.short)
        for side in range(4):
            if random.random() < 0.6:
                np.rot90(photo.values, side)[:width] = (150, 110, 70)
    photo.light(random.uniform(0, 0.3))
    return photo.taken(noise=random.uniform(3, 8))


def flash(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS))
    photo.write(digit, one_of(random, INKS), (0.2, 0.6))
    photo.spot(random.uniform(1, 1.35), random.uniform(0.2, 0.5), random.uniform(0.4, 0.9))
    return photo.taken(noise=random.uniform(2, 8))


def pencil(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS[:4]))
    paper = photo.values[0, 0].mean()
    grey = paper - random.uniform(35, 90)
    photo.write(digit, (grey, grey, grey + 2), (0.2, 0.6), thin=0.03)
    photo.light(random.uniform(0, 0.3))
    return photo.taken(noise=random.uniform(1, 5))


def ballpoint(digit: np.ndarray, random: Generator) -> Image.Image:
    """A thin line on a large page."""
    photo = Photo(random, one_of(random, PAPERS[:4]), long=int(random.integers(1000, 1600)))
    photo.write(digit, one_of(random, INKS), (0.12, 0.4), thin=0.045)
    photo.light(random.uniform(0, 0.3))
    return photo.taken(blur=random.uniform(0, 1))


def corner(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS))
    low = random.random() < 0.5
    photo.write(digit, one_of(random, INKS), (0.12, 0.25), (0.02, 0.28) if low else (0.72, 0.98))
    return photo.taken()


def cut(digit: np.ndarray, random: Generator) -> Image.Image:
    """The picture ends a little inside the digit's own box."""
    photo = Photo(random, one_of(random, PAPERS))
    *_, side = photo.write(digit, one_of(random, INKS), (0.6, 0.9), (0, 1))
    inside = np.argwhere(np.abs(photo.values - photo.values[0, 0]).sum(2) > 60)
    (up, near), (down, far) = inside.min(0), inside.max(0)
    nip = random.uniform(0, 0.03, 4) * side
    photo.values = np.ascontiguousarray(
        photo.values[int(up + nip[0]) : int(down - nip[1]), int(near + nip[2]) : int(far - nip[3])]
    )
    photo.shape = photo.values.shape[:2]
    return photo.taken()


def punched(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS[:4]))
    photo.write(digit, one_of(random, INKS), (0.25, 0.6), (0.25, 0.95))
    radius = int(random.uniform(0.015, 0.035) * photo.short)
    for at in np.linspace(0.2, 0.8, int(random.integers(2, 5))):
        mask = np.zeros(photo.shape, np.uint8)
        spot = (int(0.07 * photo.shape[1]), int(at * photo.shape[0]))
        cv2.circle(mask, spot, radius, 255, -1, cv2.LINE_AA)
        photo.paint(mask.astype(np.float32) / 255, one_of(random, DESKS))
    return photo.taken()


def thumb(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS))
    photo.write(digit, one_of(random, INKS), (0.25, 0.5), (0.15, 0.72))
    mask = np.zeros(photo.shape, np.uint8)
    spot = (int(random.uniform(0.3, 0.7) * photo.shape[1]), photo.shape[0])
    size = (int(random.uniform(0.06, 0.1) * photo.short), int(0.22 * photo.short))
    cv2.ellipse(mask, spot, size, random.uniform(-25, 25), 0, 360, 255, -1, cv2.LINE_AA)
    skins = ((205, 150, 125), (140, 95, 70), (90, 60, 45), (235, 190, 170))
    photo.paint(mask.astype(np.float32) / 255, one_of(random, skins))
    return photo.taken()


def with_text(digit: np.ndarray, random: Generator) -> Image.Image:
    """Lines of small print above or below the digit."""
    photo = Photo(random, one_of(random, PAPERS[:4]))
    ink = one_of(random, INKS)
    photo.write(digit, ink, (0.35, 0.55), (0.25, 0.95))
    mask, size = np.zeros(photo.shape, np.uint8), 0.0009 * photo.short
    for row in range(int(random.integers(1, 4))):
        cv2.putText(mask, "Write one digit in the field below, please", (
            int(0.06 * photo.shape[1]), int((0.06 + 0.055 * row) * photo.shape[0])),
            cv2.FONT_HERSHEY_SIMPLEX, size, 255, max(1, round(2 * size)), cv2.LINE_AA)  # fmt: skip
    photo.paint(mask.astype(np.float32) / 255, ink)
    return photo.taken()


def dark_screen(digit: np.ndarray, random: Generator) -> Image.Image:
    """A screenshot in dark mode: a bar on top, and light ink on a dark field."""
    photo = Photo(random, one_of(random, ((18, 18, 20), (30, 33, 40), (0, 0, 0))))
    photo.write(digit, one_of(random, ((240, 240, 240), (170, 190, 255), (255, 220, 120))),
                (0.25, 0.6), (0.15, 0.9))  # fmt: skip
    photo.values[: int(0.06 * photo.shape[0])] = random.uniform(45, 80)
    return photo.taken(noise=0.3, blur=0)


def colours(digit: np.ndarray, random: Generator) -> Image.Image:
    pairs = (
        ((20, 20, 30), (70, 110, 200)), ((240, 240, 240), (190, 40, 40)),
        ((240, 230, 60), (40, 60, 150)), ((200, 30, 40), (250, 225, 120)),
        ((250, 250, 250), (60, 140, 80)), ((255, 140, 0), (252, 252, 252)),
        ((30, 60, 160), (240, 170, 190)), ((245, 205, 30), (252, 252, 252)),
    )  # fmt: skip
    ink, paper = pairs[random.integers(len(pairs))]
    photo = Photo(random, paper)
    photo.write(digit, ink, (0.2, 0.65))
    return photo.taken(noise=random.uniform(1, 4))


def folded(digit: np.ndarray, random: Generator) -> Image.Image:
    """Paper that was folded: each field has its own brightness, and the folds are thin lines."""
    photo = Photo(random, one_of(random, PAPERS))
    photo.write(digit, one_of(random, INKS), (0.25, 0.6))
    for axis in (0, 1):
        at = int(random.uniform(0.3, 0.7) * photo.shape[axis])
        field = [slice(None), slice(None)]
        field[axis] = slice(at, None)
        photo.values[tuple(field)] *= random.uniform(0.8, 0.97)
        field[axis] = slice(at, at + 2)
        photo.values[tuple(field)] *= random.uniform(0.75, 1.08)
    return photo.taken()


def low_light(digit: np.ndarray, random: Generator) -> Image.Image:
    photo = Photo(random, one_of(random, PAPERS))
    photo.write(digit, one_of(random, INKS), (0.25, 0.6))
    photo.values *= random.uniform(0.25, 0.45)
    photo.light(random.uniform(0.2, 0.5))
    return photo.taken(noise=random.uniform(5, 11), blur=random.uniform(0.5, 3))


def ruled_sheet(digit: np.ndarray, random: Generator) -> Image.Image:
    """A ruled or squared sheet on a desk, with a shadow over it."""
    photo = Photo(random, one_of(random, PAPERS[:4]))
    colour = one_of(random, ((150, 185, 225), (120, 150, 200), (170, 170, 175)))
    step = random.uniform(0.05, 0.12) * photo.short
    for turn in (0, 90)[: random.integers(1, 3)]:
        photo.rule(step, random.uniform(1, 2.5), colour, turn, random.uniform(0, step))
    photo.write(digit, one_of(random, INKS), (0.3, 0.7), (0.08, 0.92))
    photo.lay_on(wood(random, one_of(random, DESKS)), random.uniform(0.04, 0.2),
                 random.uniform(-12, 12), 0.02)  # fmt: skip
    if random.random() < 0.5:
        photo.shadow(random.uniform(0.45, 0.8), random.uniform(1, 8))
    return photo.taken()


def tiny(digit: np.ndarray, random: Generator) -> Image.Image:
    """The 28 × 28 pixels themselves, as MNIST has them or the other way round."""
    values = 255 - digit if random.random() < 0.5 else digit
    content = BytesIO()
    Image.fromarray(values).save(content, "JPEG", quality=85)
    return Image.open(content)


def on_nothing(colour: int) -> Scene:
    """Return a kind drawn in one grey on a transparent background."""

    def scene(digit: np.ndarray, random: Generator) -> Image.Image:
        side = int(random.integers(120, 500))
        drawn = np.full((side, side, 4), colour, np.uint8)
        drawn[..., 3] = np.rint(255 * mask_of(digit, side, random))
        return Image.fromarray(drawn)

    return scene


KINDS: dict[str, Scene] = {
    "plain paper": plain,
    "sheet on a desk": sheet,
    "sticky note": sticky_note,
    "sheet at the side": sheet_at_the_side,
    "frame": frame,
    "ring": ring,
    "hard shadow": hard_shadow,
    "ruled paper": ruled,
    "lines as dark as the ink": dark_lines,
    "graph paper": graph,
    "squared sheet, desk, shadow": ruled_sheet,
    "whiteboard": whiteboard,
    "chalk": chalk,
    "phone flash": flash,
    "pencil": pencil,
    "ballpoint on a large page": ballpoint,
    "in a corner": corner,
    "cut at the edge": cut,
    "punched paper": punched,
    "thumb": thumb,
    "print elsewhere": with_text,
    "dark screen": dark_screen,
    "colours": colours,
    "folded": folded,
    "little light": low_light,
    "28 × 28 pixels": tiny,
    "white on nothing": on_nothing(255),
    "black on nothing": on_nothing(0),
}
