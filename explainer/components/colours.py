"""The theme's colours in the form that the components read."""


def component_colours():
    seq = ["#f7fbff", "#c6dbef", "#6baed6", "#2171b5", "#08306b"]
    return {
        t: {
            "marks": {"query": "#d95f02", "key": "#1b9e77", "attention": "#f59e0b", "patch": "#7570b3"},
            "overlay": ["#b45309", "#f59e0b", "#fde047"],
            "sequential": seq if t == "light" else seq[::-1],
            "diverging": ["#2166ac", "#f7f7f7", "#b2182b"] if t == "light" else ["#4393c3", "#222222", "#d6604d"],
        }
        for t in ("light", "dark")
    }
