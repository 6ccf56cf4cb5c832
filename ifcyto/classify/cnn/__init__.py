"""Neural networks on the images themselves (keras 3 on TensorFlow, the extra ``cnn``).

Which file does what: `network` builds, `crops` and `batches` feed, `augment` varies,
`schedule` and `train` learn, `predict` judges, `explain` shows why, `folder` keeps.
Files that name keras import it through `backend`, which says how to install it.
"""
