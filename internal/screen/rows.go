package screen

// gap is what keeps columns apart.
const gap = 2

// row is a node with where it is in the tree.
type row struct {
	branch string // the lines that lead to it
	node   *node
}

// rowsOf are the rows of a tree, the root first.
func rowsOf(root *node) []row {
	rows := []row{{node: root}}
	var grow func(n *node, lead string)
	grow = func(n *node, lead string) {
		for i := range n.children {
			joint, below := "├─ ", "│  "
			if i == len(n.children)-1 {
				joint, below = "└─ ", "   "
			}
			rows = append(rows, row{lead + joint, &n.children[i]})
			grow(&n.children[i], lead+below)
		}
	}
	grow(root, "")
	return rows
}

// drawn is a tree in lines, with its columns below each other.
func drawn(root *node) []line {
	rows := rowsOf(root)
	var names, states, tasks int
	for _, r := range rows {
		names = max(names, length(r.branch)+2+length(r.node.name))
		states = max(states, length(r.node.state))
		tasks = max(tasks, length(r.node.tasks))
	}
	lines := make([]line, 0, len(rows))
	for _, r := range rows {
		n := r.node
		l := line{
			{r.branch, faint},
			{n.mark.sign, n.mark.ink},
			{" " + pad(n.name, names-length(r.branch)-2+gap), plain},
			{pad(n.state, states+gap), n.mark.ink},
		}
		if tasks > 0 {
			l = append(l, span{pad(n.tasks, tasks+gap), plain})
		}
		lines = append(lines, append(l, span{n.detail, faint}))
	}
	return lines
}

// fold leaves out what is well, then what only waits for its turn, until the tree has at most height
// rows or nothing more can be left out.
func fold(root *node, height int) {
	for _, foldable := range []func(n *node) bool{
		func(n *node) bool { return n.mark == markWell },
		func(n *node) bool { return n.mark == markLater },
	} {
		for level := 2; level >= 1; level-- {
			if len(rowsOf(root)) <= height {
				return
			}
			foldAt(root, level, foldable)
		}
	}
}

// foldAt leaves out what is below the nodes of a level.
func foldAt(n *node, level int, foldable func(n *node) bool) {
	if level == 0 {
		if foldable(n) {
			n.children = nil
		}
		return
	}
	for i := range n.children {
		foldAt(&n.children[i], level-1, foldable)
	}
}
